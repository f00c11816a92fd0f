// The certificates that listeners with TLS show, and when they end.

import type { Listener } from "../api/client";
import { sysName, useSys } from "../api/sys";
import { plural } from "../lib/format";
import details from "../pages/ClientDetail.module.css";
import { useConfig } from "../settings/queries";
import { shown, valueAt } from "../settings/values";
import { Panel } from "./Page";
import { type Kind, Status } from "./Words";

const WITH_TLS = new Set(["tls", "wss"]);
/** From so many days on somebody should see to a new one. */
const SOON = 30;

/** What the configuration says of the TLS of a listener. */
function tlsOf(config: unknown, { id }: Listener): unknown {
  const listeners = valueAt(config, ["listener"]);
  if (!Array.isArray(listeners)) return undefined;
  // One without a name is known by its address.
  const own = listeners.find(
    (one) => valueAt(one, ["name"]) === id || valueAt(one, ["url"]) === id,
  );
  return valueAt(own, ["tls"]);
}

/** How long something holds, by the whole days that are left of it. */
function End({ days, none }: { days: number | undefined; none: string }) {
  if (days === undefined) return <span className="muted">{none}</span>;
  const kind: Kind = days < 0 ? "bad" : days < SOON ? "warn" : "good";
  const words =
    days < 0 ? "has ended" : days === 0 ? "ends today" : `ends in ${plural(days, "day")}`;
  return <Status kind={kind}>{words}</Status>;
}

/** The listeners that show a certificate; nothing where there is none. */
export function Certificates({ listeners }: { listeners: readonly Listener[] }) {
  const config = useConfig().data?.config;
  const sys = useSys();
  const rows = listeners.filter((listener) => WITH_TLS.has(listener.type));
  if (rows.length === 0) return null;
  return (
    <Panel title="Certificates" isPadded={false}>
      <div className={details.scroll} tabIndex={0} role="group" aria-label="Certificates">
        <table className={details.table}>
          <thead>
            <tr>
              <th scope="col">Listener</th>
              <th scope="col">Certificate</th>
              <th scope="col">Revocation list</th>
              <th scope="col">File</th>
              <th scope="col">TLS from</th>
              <th scope="col">Client certificate</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => {
              const tls = tlsOf(config, row);
              const left = (what: string) =>
                sys.data?.get(`listeners/${sysName(row.id)}/${what}/days_left`);
              const of = (key: string) => shown(valueAt(tls, [key]));
              return (
                <tr key={row.id}>
                  <td className="mono">{row.id}</td>
                  <td>
                    <End days={left("certificate")} none={sys.isLoading ? "…" : "not told"} />
                  </td>
                  <td>
                    <End days={left("crl")} none="none" />
                  </td>
                  <td className="mono">{of("cert_file")}</td>
                  <td className="number">{of("min_version")}</td>
                  <td>{of("client_auth")}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
