import { Button, Checkbox, Group, SegmentedControl, Select } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import { Link } from "react-router";
import { answered, api, type Client } from "../api/client";
import { clientPath, kick, type Who } from "../api/clients";
import { mayChange, session } from "../api/session";
import { PART, useWalk, WHOLE } from "../api/walk";
import { count, momentOf, plural, protocol } from "../lib/format";
import { useParams } from "../lib/params";
import { useStore } from "../lib/store";
import { confirm } from "../parts/confirm";
import { Filter } from "../parts/Filter";
import { Icon } from "../parts/Icon";
import { Empty, Failed, Page, WaitingRows } from "../parts/Page";
import { type Column, type Sorting, sortRows, Table } from "../parts/Table";
import { WalkFoot } from "../parts/WalkFoot";
import { Moment, Status } from "../parts/Words";

const whoOf = (client: Client): Who => ({
  clientid: client.clientid,
  tenant: client.tenant ?? undefined,
});
const keyOf = (client: Client) => `${client.tenant ?? ""}\u0000${client.clientid}`;

const COLUMNS: Column<Client>[] = [
  {
    key: "clientid",
    title: "Client identifier",
    width: "minmax(130px, 2.2fr)",
    sort: (client) => client.clientid,
    cell: (client) => (
      <Link className="mono" to={clientPath(whoOf(client))} title={client.clientid}>
        {client.clientid}
      </Link>
    ),
  },
  {
    key: "state",
    title: "State",
    width: "104px",
    sort: (client) => (client.connected ? 0 : 1),
    cell: (client) => <ClientState client={client} />,
  },
  {
    key: "username",
    title: "User",
    width: "minmax(70px, 1fr)",
    from: 1000,
    sort: (client) => client.username ?? "",
    cell: (client) => client.username ?? <span className="muted">–</span>,
  },
  {
    key: "address",
    title: "Address",
    width: "minmax(110px, 1fr)",
    from: 700,
    sort: (client) => client.ip_address ?? "",
    cell: (client) => <span className="mono">{client.ip_address ?? "–"}</span>,
  },
  {
    key: "protocol",
    title: "MQTT",
    width: "56px",
    from: 1150,
    sort: (client) => client.proto_ver,
    cell: (client) => <span className="number">{protocol(client.proto_ver)}</span>,
  },
  {
    key: "subscriptions",
    title: "Subscr.",
    width: "64px",
    from: 900,
    isNumber: true,
    sort: (client) => client.subscriptions_cnt,
    cell: (client) => count(client.subscriptions_cnt),
  },
  {
    key: "inflight",
    title: "Inflight",
    width: "64px",
    from: 1150,
    isNumber: true,
    sort: (client) => client.inflight_cnt,
    cell: (client) => count(client.inflight_cnt),
  },
  {
    key: "queue",
    title: "Queue",
    width: "64px",
    isNumber: true,
    from: 420,
    sort: (client) => client.mqueue_len,
    cell: (client) => count(client.mqueue_len),
  },
  {
    key: "since",
    title: "Since",
    width: "104px",
    from: 560,
    sort: (client) =>
      momentOf(client.connected ? client.connected_at : client.disconnected_at) || 0,
    cell: (client) => (
      <Moment at={client.connected ? client.connected_at : client.disconnected_at} />
    ),
  },
];

/** Whether a client is connected, and whether it keeps up. */
export function ClientState({ client }: { client: Client }) {
  if (!client.connected) return <Status kind="none">Away</Status>;
  return client.is_congested ? (
    <Status kind="warn">Slow</Status>
  ) : (
    <Status kind="good">Connected</Status>
  );
}

function useClients(params: URLSearchParams, isWhole: boolean) {
  const words = ["search", "state", "version", "listener"].map((name) => params.get(name) ?? "");
  const [search, state, version, listener] = words;
  return useWalk<Client>(["clients", words, isWhole], (cursor) => {
    const query = {
      cursor,
      limit: isWhole ? WHOLE : PART,
      ...(search ? { search } : {}),
      ...(state === "connected" || state === "disconnected"
        ? { conn_state: state as "connected" }
        : {}),
      ...(version ? { proto_ver: Number(version) } : {}),
      ...(listener ? { listener } : {}),
    };
    return answered(api.GET("/api/v5/clients", { params: { query } }));
  });
}

/** All clients: connected, or with a session that waits for them. */
export default function Clients() {
  const [params, setParams] = useParams();
  const [sorting, setSorting] = useState<Sorting>();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const walk = useClients(params, sorting !== undefined);
  const may = mayChange(useStore(session)?.role ?? "viewer");
  const columns = may ? [choice(chosen, setChosen), ...COLUMNS] : COLUMNS;
  const rows = useMemo(() => sortRows(walk.rows, COLUMNS, sorting), [walk.rows, sorting]);
  const isFiltered = [...params.keys()].length > 0;
  const isPart =
    sorting && walk.hasMore ? `Sorted among the first ${count(walk.rows.length)}` : undefined;
  if (walk.error) return <Failed error={walk.error} retry={walk.refetch} />;
  return (
    <Page
      title="Clients"
      isFilling
      lead={walk.count === undefined ? undefined : count(walk.count)}
      acts={
        <Chosen
          clients={walk.rows.filter((client) => chosen.has(keyOf(client)))}
          clear={() => setChosen(new Set())}
        />
      }
    >
      <Filters params={params} setParams={setParams} />
      <Table
        label="Clients"
        rows={rows}
        columns={columns}
        id={keyOf}
        isSelected={(client) => chosen.has(keyOf(client))}
        sorting={sorting}
        onSort={setSorting}
        onEnd={sorting ? undefined : walk.onEnd}
        empty={walk.isLoading ? <WaitingRows /> : <NoClients isFiltered={isFiltered} />}
        foot={<WalkFoot walk={walk} note={isPart} />}
      />
    </Page>
  );
}

function choice(
  chosen: ReadonlySet<string>,
  choose: (chosen: ReadonlySet<string>) => void,
): Column<Client> {
  const toggle = (key: string) => {
    const after = new Set(chosen);
    if (!after.delete(key)) after.add(key);
    choose(after);
  };
  return {
    key: "choice",
    title: <span className="visually-hidden">Chosen</span>,
    width: "18px",
    cell: (client) => (
      <Checkbox
        aria-label={`Choose ${client.clientid}`}
        checked={chosen.has(keyOf(client))}
        onChange={() => toggle(keyOf(client))}
      />
    ),
  };
}

function NoClients({ isFiltered }: { isFiltered: boolean }): ReactNode {
  return isFiltered ? (
    <Empty icon="search" title="No client is like that">
      Take a filter away, or search for a part of an identifier, a user name or an address.
    </Empty>
  ) : (
    <Empty icon="clients" title="No client yet">
      Clients stand here as soon as they connect.{" "}
      <Link to="/listeners">Where the node listens</Link>
    </Empty>
  );
}

interface FiltersProps {
  params: URLSearchParams;
  setParams: (changed: Record<string, string>) => void;
}

function Filters({ params, setParams }: FiltersProps) {
  const listeners = useQuery({
    queryKey: ["listeners"],
    queryFn: () => answered(api.GET("/api/v5/listeners")),
  });
  return (
    <Group gap="xs">
      <Filter
        label="Identifier, user, address…"
        value={params.get("search") ?? ""}
        onFilter={(search) => setParams({ search })}
        w={240}
      />
      <SegmentedControl
        aria-label="State"
        value={params.get("state") ?? ""}
        onChange={(state) => setParams({ state })}
        data={[
          { value: "", label: "All" },
          { value: "connected", label: "Connected" },
          { value: "disconnected", label: "Away" },
        ]}
      />
      <Select
        aria-label="Version of MQTT"
        placeholder="Any version"
        clearable
        w={120}
        value={params.get("version")}
        onChange={(version) => setParams({ version: version ?? "" })}
        data={["3", "4", "5"].map((level) => ({
          value: level,
          label: `MQTT ${protocol(Number(level))}`,
        }))}
      />
      <Select
        aria-label="Listener"
        placeholder="Any listener"
        clearable
        w={210}
        value={params.get("listener")}
        onChange={(listener) => setParams({ listener: listener ?? "" })}
        data={listeners.data?.map((listener) => listener.id) ?? []}
      />
    </Group>
  );
}

function Chosen({ clients, clear }: { clients: Client[]; clear: () => void }) {
  const queries = useQueryClient();
  if (clients.length === 0) return null;
  const named = plural(clients.length, "client");
  const ask = () =>
    confirm({
      title: `Disconnect ${named}?`,
      body: "They are disconnected, and their sessions end with all that waits in them. They may connect again at once.",
      act: "Disconnect",
      done: `Disconnected ${named}.`,
      run: async () => {
        await kick(clients.map(whoOf));
        clear();
        await queries.invalidateQueries({ queryKey: ["clients"] });
      },
    });
  return (
    <>
      <span className="muted">{plural(clients.length, "chosen", "chosen")}</span>
      <Button variant="default" onClick={clear}>
        Clear
      </Button>
      <Button variant="default" onClick={ask} leftSection={<Icon name="away" />}>
        Disconnect
      </Button>
    </>
  );
}
