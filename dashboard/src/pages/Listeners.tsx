import { useQuery } from "@tanstack/react-query";
import { answered, api, type Listener } from "../api/client";
import { plural, short } from "../lib/format";
import { Certificates } from "../parts/Certificates";
import { Empty, Failed, Page, WaitingRows } from "../parts/Page";
import { type Column, Table } from "../parts/Table";
import { Copyable, Status } from "../parts/Words";

const KINDS: Record<string, string> = {
  tcp: "MQTT over TCP",
  tls: "MQTT over TLS",
  ws: "MQTT over WebSocket",
  wss: "MQTT over WebSocket and TLS",
  unix: "MQTT over a Unix socket",
};

const COLUMNS: Column<Listener>[] = [
  {
    key: "id",
    title: "Name",
    width: "minmax(120px, 1.4fr)",
    cell: (row) => <span className="mono">{row.id}</span>,
  },
  {
    key: "type",
    title: "Speaks",
    width: "minmax(120px, 1fr)",
    from: 700,
    cell: (row) => KINDS[row.type] ?? row.type,
  },
  {
    key: "bind",
    title: "Listens at",
    width: "minmax(140px, 1.6fr)",
    cell: (row) => <Copyable text={row.bind} label="address" />,
  },
  {
    key: "state",
    title: "State",
    width: "96px",
    cell: (row) => (
      <Status kind={row.status.running ? "good" : "bad"}>
        {row.status.running ? "Listens" : "Stopped"}
      </Status>
    ),
  },
  {
    key: "tenant",
    title: "Tenant",
    width: "minmax(70px, 0.6fr)",
    from: 1000,
    cell: (row) => row.tenant ?? <span className="muted">–</span>,
  },
  {
    key: "max",
    title: "Connections at most",
    width: "140px",
    from: 900,
    isNumber: true,
    cell: (row) => short(row.status.max_connections),
  },
];

/** Where the node listens. */
export default function Listeners() {
  const listeners = useQuery({
    queryKey: ["listeners"],
    queryFn: () => answered(api.GET("/api/v5/listeners")),
    refetchInterval: 10_000,
  });
  if (listeners.isError && !listeners.data)
    return <Failed error={listeners.error} retry={() => listeners.refetch()} />;
  const rows = listeners.data ?? [];
  return (
    <Page title="Listeners" isFilling lead={listeners.data && plural(rows.length, "listener")}>
      <Table
        label="Listeners"
        rows={rows}
        columns={COLUMNS}
        id={(row) => row.id}
        empty={
          listeners.isLoading ? (
            <WaitingRows rows={3} />
          ) : (
            <Empty icon="listeners" title="The node listens nowhere">
              Listeners stand in its configuration, as [[listener]].
            </Empty>
          )
        }
      />
      <Certificates listeners={rows} />
    </Page>
  );
}
