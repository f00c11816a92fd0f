import type { ReactNode } from "react";
import { Link } from "react-router";
import { latency, useLatency } from "../api/latency";
import { pulse, usePulse } from "../api/live";
import { bytes, count, duration, micros, plural, short } from "../lib/format";
import { Chart, type Line } from "../parts/Chart";
import { Failed, FormFailure, Page, Panel, Waiting } from "../parts/Page";
import { Moment, Status } from "../parts/Words";
import { useAlarms } from "../shell/Navigation";
import styles from "./Overview.module.css";

const MESSAGES: Line[] = [
  { label: "Received", colour: 1 },
  { label: "Sent", colour: 3, dash: [6, 3] },
  { label: "Dropped", colour: 4, dash: [2, 2] },
];
const VOLUME: Line[] = [
  { label: "In", colour: 1 },
  { label: "Out", colour: 3, dash: [6, 3] },
];
const PEOPLE: Line[] = [
  { label: "Live", colour: 1 },
  { label: "All", colour: 3, dash: [6, 3] },
];
const QUEUES: Line[] = [{ label: "Waiting", colour: 2 }];
const MEMORY: Line[] = [{ label: "Resident", colour: 1 }];
const LOAD: Line[] = [{ label: "Busy", colour: 2 }];
const SHARES: Line[] = [
  { label: "p50", colour: 1 },
  { label: "p99", colour: 3, dash: [6, 3] },
];

const perSecond = (value: number) => `${short(value)}/s`;
const bytesPerSecond = (value: number) => `${bytes(value)}/s`;
const perCent = (value: number) =>
  Number.isFinite(value) ? `${value.toFixed(value < 10 ? 1 : 0)} %` : "–";

/** How the node does, now and in the last half hour. */
export default function Overview() {
  const look = usePulse();
  if (look.isError && !look.data) return <Failed error={look.error} retry={() => look.refetch()} />;
  if (!look.data) return <Waiting label="Looking at the node" />;
  const { node } = look.data;
  const lead = node && (
    <Status kind={node.node_status === "running" ? "good" : "bad"}>
      {node.node} {node.node_status}, version {node.version}, up {duration(node.uptime)}
    </Status>
  );
  return (
    <Page title="Overview" lead={lead}>
      <Tiles look={look.data} />
      <Charts />
      <Latencies />
      <div className={styles.grid}>
        <AlarmPanel />
        <DropPanel metrics={look.data.metrics} />
      </div>
    </Page>
  );
}

type Look = NonNullable<ReturnType<typeof usePulse>["data"]>;

function Tiles({ look }: { look: Look }) {
  const { rates, node, load } = look;
  const shards = node ? plural(node.shards, "shard") : "";
  return (
    <section className={styles.tiles} aria-label="Now">
      <Tile
        label="Clients connected"
        value={count(rates.live_connections)}
        note={`of ${plural(rates.connections, "session")}`}
        to="/clients"
      />
      <Tile
        label="Subscriptions"
        value={count(rates.subscriptions)}
        note={`${count(rates.retained_msg_count)} retained`}
        to="/subscriptions"
      />
      <Tile
        label="Messages received"
        value={perSecond(rates.received_msg_rate)}
        note={bytesPerSecond(rates.received_bytes_rate)}
      />
      <Tile
        label="Messages sent"
        value={perSecond(rates.sent_msg_rate)}
        note={bytesPerSecond(rates.sent_bytes_rate)}
      />
      <Tile
        label="Waiting in queues"
        value={count(rates.queued)}
        note={`${perSecond(rates.dropped_msg_rate)} dropped`}
      />
      <Tile
        label="Memory"
        value={bytes(node?.memory_used ?? Number.NaN)}
        note={`${shards} ${perCent(load)} busy`}
      />
    </section>
  );
}

interface TileProps {
  label: string;
  value: ReactNode;
  note: string;
  to?: string;
}

function Tile({ label, value, note, to }: TileProps) {
  const inside = (
    <>
      <div className={styles.label}>{label}</div>
      <div className={styles.value}>{value}</div>
      <div className={styles.note}>{note}</div>
    </>
  );
  return to ? (
    <Link to={to} className={styles.tile}>
      {inside}
    </Link>
  ) : (
    <div className={styles.tile}>{inside}</div>
  );
}

function Charts() {
  const of = (...names: string[]) => pulse.data(names);
  const low = { height: 120 };
  return (
    <>
      <div className={styles.grid}>
        <Chart
          title="Messages"
          label="Messages a second"
          lines={MESSAGES}
          data={of("received", "sent", "dropped")}
          format={perSecond}
        />
        <Chart
          title="Traffic"
          label="Bytes a second"
          lines={VOLUME}
          data={of("bytesIn", "bytesOut")}
          format={bytesPerSecond}
          isBytes
        />
      </div>
      <div className={styles.four}>
        <Chart
          {...low}
          title="Clients"
          label="Clients"
          lines={PEOPLE}
          data={of("connected", "sessions")}
          format={short}
        />
        <Chart
          {...low}
          title="Queues"
          label="Messages that wait"
          lines={QUEUES}
          data={of("queued")}
          format={short}
        />
        <Chart
          {...low}
          title="Memory"
          label="Memory"
          lines={MEMORY}
          data={of("memory")}
          format={bytes}
          isBytes
        />
        <Chart
          {...low}
          title="Shards"
          label="Time for which the shards are busy"
          lines={LOAD}
          data={of("load")}
          format={perCent}
        />
      </div>
    </>
  );
}

/** How long it takes, over the last minute at each moment. */
function Latencies() {
  const look = useLatency();
  if (look.isError && latency.length === 0) {
    return (
      <Panel title="Latency">
        <FormFailure error={look.error} />
      </Panel>
    );
  }
  const shared = { height: 120, lines: SHARES, format: micros };
  return (
    <div className={styles.grid}>
      <Chart
        {...shared}
        title="Commit latency"
        label="Time that the log takes to keep what it was given"
        data={latency.data(["commit50", "commit99"])}
      />
      <Chart
        {...shared}
        title="Delivery latency"
        label="Time from when a message has come until it is sent on"
        data={latency.data(["delivery50", "delivery99"])}
      />
    </div>
  );
}

function AlarmPanel() {
  const alarms = useAlarms();
  const standing = alarms.data?.data ?? [];
  return (
    <Panel title="Alarms">
      {standing.length === 0 ? (
        <Status kind="good">{alarms.isLoading ? "Looking…" : "Nothing needs attention"}</Status>
      ) : (
        <div className={styles.list}>
          {standing.slice(0, 5).map((alarm) => (
            <div key={alarm.name} className={styles.item}>
              <Status kind="warn">{alarm.name}</Status>
              <Moment at={alarm.activate_at} />
            </div>
          ))}
          <Link to="/alarms">All alarms</Link>
        </div>
      )}
    </Panel>
  );
}

const DROPPED = "messages.dropped.";
const WHY: Record<string, string> = {
  expired: "Expired before delivery",
  no_member: "Shared group without a member",
  no_subscribers: "Nobody subscribed",
  node_full: "Node out of memory",
  offline: "Receiver away, QoS 0",
  queue_full: "Queue of the receiver full",
  retained_limit: "Limit of retained messages",
  session_ended: "Session ended",
  store_full: "Store full",
  too_large: "Larger than the receiver takes",
  withheld: "Rules withhold it",
};

function DropPanel({ metrics }: { metrics: Record<string, number> }) {
  const drops = Object.entries(metrics)
    .filter(([name, value]) => name.startsWith(DROPPED) && value > 0)
    .map(([name, value]): [string, number] => [name.slice(DROPPED.length), value])
    .sort(([, a], [, b]) => b - a);
  return (
    <Panel title="Dropped since the start, by reason">
      {drops.length === 0 ? (
        <Status kind="good">No message was dropped</Status>
      ) : (
        <div className={styles.list}>
          {drops.map(([reason, value]) => (
            <div key={reason} className={styles.item}>
              <span>{WHY[reason] ?? reason}</span>
              <span className="number">{count(value)}</span>
            </div>
          ))}
        </div>
      )}
    </Panel>
  );
}
