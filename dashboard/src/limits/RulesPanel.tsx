// What holds for each client, address and user, and how often somebody met it.

import type { EffectiveConfig } from "../api/client";
import { useSys } from "../api/sys";
import { count } from "../lib/format";
import { Empty, Panel, WaitingRows } from "../parts/Page";
import { Status } from "../parts/Words";
import { SourceMark } from "../settings/SourceMark";
import { specsOf } from "../settings/schema";
import { shown, sourceOf, valueAt } from "../settings/values";
import { KeyLink } from "./KeyLink";
import styles from "./limits.module.css";

const OF_NODE = new Set([
  "limits.max_connections",
  "limits.max_sessions",
  "limits.max_total_subscriptions",
  "limits.max_queued_messages",
  "limits.max_queued_bytes",
]);
const LIMIT = /^(limits\.|mqtt\.(max|receive_maximum|topic_alias)|retained\.max_message_size)/;

/** The limits that are no sum of the node. */
export function RulesPanel({ config }: { config: EffectiveConfig }) {
  const specs = specsOf(config.config).filter(({ key }) => LIMIT.test(key) && !OF_NODE.has(key));
  return (
    <Panel title="For each client, address and user" isPadded={false}>
      <ul className={styles.rules}>
        {specs.map((spec) => (
          <li key={spec.key}>
            <KeyLink name={spec.key} />
            <span className="mono">{shown(valueAt(config.config, spec.path))}</span>
            <SourceMark source={sourceOf(config.origins, spec.key)} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

const FENCES: Record<string, string> = {
  address: "Connections of one address",
  banned: "Banned",
  connections: "Connections of node or listener",
  flapping: "Connected too often",
  handshakes: "Handshakes under way",
  locked_out: "Locked out after wrong passwords",
  memory: "Memory of the node",
  rate: "Connections in a time",
  user: "Connections of one user",
};
const REFUSED = "metrics/connections/refused/";
const PACED = "metrics/clients/paced";
const HELD = "metrics/clients/held";

/** How often limits were met since the start. */
export function MetPanel() {
  const sys = useSys();
  if (!sys.data) return <WaitingRows rows={3} />;
  const refused = [...sys.data]
    .filter(([topic, value]) => topic.startsWith(REFUSED) && value > 0)
    .map(([topic, value]): [string, number] => [topic.slice(REFUSED.length), value])
    .sort(([, a], [, b]) => b - a);
  const rows: [string, number][] = refused.map(([fence, value]) => [FENCES[fence] ?? fence, value]);
  const paced = sys.data.get(PACED) ?? 0;
  const held = sys.data.get(HELD) ?? 0;
  if (paced > 0) rows.push(["Publisher had to wait: too much in a time", paced]);
  if (held > 0) rows.push(["Publisher had to wait: a receiver's queue is long", held]);
  return (
    <Panel title="Limits that were met since the start">
      {sys.data.size === 0 && (
        <Empty icon="limits" title="Nothing is counted">
          The node publishes its numbers every sys.interval; it is "never" now.
        </Empty>
      )}
      {sys.data.size > 0 && rows.length === 0 && (
        <Status kind="good">Nobody has met a limit</Status>
      )}
      <ul className={styles.met}>
        {rows.map(([words, value]) => (
          <li key={words}>
            <span>{words}</span>
            <span className="number">{count(value)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
