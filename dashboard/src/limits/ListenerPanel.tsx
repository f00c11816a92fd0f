// How many have come in at each listener.

import { useQuery } from "@tanstack/react-query";
import { answered, api, type Listener } from "../api/client";
import { Meter } from "../parts/Meter";
import { Empty, Failed, Panel, WaitingRows } from "../parts/Page";
import styles from "./limits.module.css";

const REFRESH = 15_000;
/** So many clients are counted; of more it is said that there are more. */
const COUNTED = 1000;

/** The listeners with their connections. */
export function ListenerPanel() {
  const listeners = useQuery({
    queryKey: ["listeners"],
    queryFn: () => answered(api.GET("/api/v5/listeners")),
    refetchInterval: REFRESH,
  });
  if (listeners.isError && !listeners.data)
    return <Failed error={listeners.error} retry={() => listeners.refetch()} />;
  const rows = listeners.data ?? [];
  return (
    <Panel title="Connections by listener">
      {listeners.isLoading && <WaitingRows rows={2} />}
      {listeners.data && rows.length === 0 && (
        <Empty icon="listeners" title="The node listens nowhere" />
      )}
      <div className={styles.rows}>
        {rows.map((listener) => (
          <Row key={listener.id} listener={listener} />
        ))}
      </div>
    </Panel>
  );
}

function Row({ listener }: { listener: Listener }) {
  const query = { listener: listener.id, conn_state: "connected" as const, limit: COUNTED };
  const clients = useQuery({
    queryKey: ["clients", "of-listener", listener.id],
    queryFn: () => answered(api.GET("/api/v5/clients", { params: { query } })),
    refetchInterval: REFRESH,
  });
  return (
    <div className={styles.row}>
      <span className="mono cut" title={listener.bind}>
        {listener.id}
      </span>
      <Meter
        label={`Connections at ${listener.id}`}
        used={clients.data?.data.length ?? Number.NaN}
        isMore={clients.data?.meta.hasnext ?? false}
        limit={listener.status.max_connections}
      />
    </div>
  );
}
