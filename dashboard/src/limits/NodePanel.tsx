// What the node as a whole may have, and has.

import { useQuery } from "@tanstack/react-query";
import { answered, api, type EffectiveConfig } from "../api/client";
import { useSys } from "../api/sys";
import { bytes, count } from "../lib/format";
import { sizeOf } from "../lib/sizes";
import { Meter } from "../parts/Meter";
import { Failed, Panel, WaitingRows } from "../parts/Page";
import { valueAt } from "../settings/values";
import { KeyLink } from "./KeyLink";
import styles from "./limits.module.css";

const REFRESH = 5000;

interface Limited {
  label: string;
  key: string;
  used: number;
  isBytes?: boolean;
}

/** The limits of the node, each with how much of it is used. */
export function NodePanel({ config }: { config: EffectiveConfig }) {
  const stats = useQuery({
    queryKey: ["stats"],
    queryFn: () => answered(api.GET("/api/v5/stats")),
    refetchInterval: REFRESH,
  });
  const sys = useSys();
  if (stats.isError && !stats.data)
    return <Failed error={stats.error} retry={() => stats.refetch()} />;
  if (!stats.data) return <WaitingRows rows={4} />;
  const of = (name: string) => stats.data[name] ?? Number.NaN;
  const limits: Limited[] = [
    { label: "Connections", key: "limits.max_connections", used: of("live_connections.count") },
    { label: "Sessions", key: "limits.max_sessions", used: of("sessions.count") },
    {
      label: "Subscriptions",
      key: "limits.max_total_subscriptions",
      used: of("subscriptions.count"),
    },
    { label: "Retained messages", key: "retained.max_messages", used: of("retained.count") },
    { label: "Messages in queues", key: "limits.max_queued_messages", used: of("queued.count") },
    {
      label: "Bytes in queues",
      key: "limits.max_queued_bytes",
      used: of("queued.bytes"),
      isBytes: true,
    },
  ];
  const stored = sys.data?.get("store/bytes");
  if (stored !== undefined)
    limits.push({ label: "Store", key: "store.max_size", used: stored, isBytes: true });
  return (
    <Panel title="Node">
      <div className={styles.meters}>
        {limits.map(({ label, key, used, isBytes }) => (
          <div key={key}>
            <div className={styles.meterHead}>
              <KeyLink name={key}>{label}</KeyLink>
            </div>
            <Meter
              label={label}
              used={used}
              limit={sizeOf(valueAt(config.config, key.split(".")))}
              format={isBytes ? bytes : count}
            />
          </div>
        ))}
      </div>
    </Panel>
  );
}
