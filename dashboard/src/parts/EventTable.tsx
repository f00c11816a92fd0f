// What has happened to a client.

import type { ClientEvent } from "../api/client";
import { Outcome } from "../pages/Audit";
import details from "../pages/ClientDetail.module.css";
import { Moment } from "./Words";

/** Events, the newest first. */
export function EventTable({ events }: { events: ClientEvent[] }) {
  return (
    <div className={details.scroll}>
      <table className={details.table}>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">What</th>
            <th scope="col">Outcome</th>
            <th scope="col">On</th>
            <th scope="col">Because</th>
          </tr>
        </thead>
        <tbody>
          {events.map((event, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: events have no name, and the list is as it was told
            <tr key={index}>
              <td>
                <Moment at={event.at} />
              </td>
              <td>{event.event}</td>
              <td>
                <Outcome outcome={event.outcome} />
              </td>
              <td className="mono">{event.target ?? "–"}</td>
              <td>{event.because ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
