import { Group, Select } from "@mantine/core";
import { useMemo, useState } from "react";
import { Link } from "react-router";
import { answered, api, type Subscription } from "../api/client";
import { clientPath } from "../api/clients";
import { PART, useWalk, WHOLE } from "../api/walk";
import { count } from "../lib/format";
import { useParams } from "../lib/params";
import { optionsOf } from "../lib/subscriptions";
import { Filter } from "../parts/Filter";
import { Empty, Failed, Page, WaitingRows } from "../parts/Page";
import { type Column, type Sorting, sortRows, Table } from "../parts/Table";
import { WalkFoot } from "../parts/WalkFoot";

const COLUMNS: Column<Subscription>[] = [
  {
    key: "topic",
    title: "Topic filter",
    width: "minmax(130px, 2fr)",
    sort: (row) => row.topic,
    cell: (row) => (
      <span className="mono" title={row.topic}>
        {row.topic}
      </span>
    ),
  },
  {
    key: "client",
    title: "Client",
    width: "minmax(110px, 1.4fr)",
    sort: (row) => row.clientid,
    cell: (row) => (
      <Link
        className="mono"
        to={clientPath({ clientid: row.clientid, tenant: row.tenant ?? undefined })}
        title={row.clientid}
      >
        {row.clientid}
      </Link>
    ),
  },
  {
    key: "qos",
    title: "QoS",
    width: "44px",
    isNumber: true,
    sort: (row) => row.qos,
    cell: (row) => row.qos,
  },
  {
    key: "options",
    title: "Options",
    width: "minmax(100px, 1fr)",
    from: 900,
    cell: (row) => optionsOf(row) || <span className="muted">–</span>,
  },
  {
    key: "durable",
    title: "On disk",
    width: "70px",
    from: 700,
    sort: (row) => (row.durable ? 0 : 1),
    cell: (row) => (row.durable ? "yes" : <span className="muted">no</span>),
  },
];

const NAMES = ["topic", "match", "client", "group", "qos"];

function useSubscriptions(params: URLSearchParams, isWhole: boolean) {
  const words = NAMES.map((name) => params.get(name) ?? "");
  const [topic, match, clientid, group, qos] = words;
  return useWalk<Subscription>(["subscriptions", words, isWhole], (cursor) => {
    const query = {
      cursor,
      limit: isWhole ? WHOLE : PART,
      ...(topic ? { topic } : {}),
      ...(match ? { match_topic: match } : {}),
      ...(clientid ? { clientid } : {}),
      ...(group ? { share_group: group } : {}),
      ...(qos ? { qos: Number(qos) } : {}),
    };
    return answered(api.GET("/api/v5/subscriptions", { params: { query } }));
  });
}

/** All that anybody is subscribed to. */
export default function Subscriptions() {
  const [params, setParams] = useParams();
  const [sorting, setSorting] = useState<Sorting>();
  const walk = useSubscriptions(params, sorting !== undefined);
  const rows = useMemo(() => sortRows(walk.rows, COLUMNS, sorting), [walk.rows, sorting]);
  const isPart =
    sorting && walk.hasMore ? `Sorted among the first ${count(walk.rows.length)}` : undefined;
  const field = (name: string, label: string, w: number) => (
    <Filter
      label={label}
      value={params.get(name) ?? ""}
      onFilter={(value) => setParams({ [name]: value })}
      w={w}
    />
  );
  if (walk.error) return <Failed error={walk.error} retry={walk.refetch} />;
  return (
    <Page
      title="Subscriptions"
      isFilling
      lead={walk.count === undefined ? undefined : count(walk.count)}
    >
      <Group gap="xs">
        {field("match", "Receives this topic…", 220)}
        {field("topic", "This very filter…", 180)}
        {field("client", "Client identifier…", 180)}
        {field("group", "Shared group…", 140)}
        <Select
          aria-label="Quality of service"
          placeholder="Any QoS"
          clearable
          w={104}
          value={params.get("qos")}
          onChange={(qos) => setParams({ qos: qos ?? "" })}
          data={["0", "1", "2"].map((qos) => ({ value: qos, label: `QoS ${qos}` }))}
        />
      </Group>
      <Table
        label="Subscriptions"
        rows={rows}
        columns={COLUMNS}
        id={(row) => `${row.tenant ?? ""}\u0000${row.clientid}\u0000${row.topic}`}
        sorting={sorting}
        onSort={setSorting}
        onEnd={sorting ? undefined : walk.onEnd}
        empty={
          walk.isLoading ? <WaitingRows /> : <None isFiltered={[...params.keys()].length > 0} />
        }
        foot={<WalkFoot walk={walk} note={isPart} />}
      />
    </Page>
  );
}

function None({ isFiltered }: { isFiltered: boolean }) {
  return isFiltered ? (
    <Empty icon="search" title="No subscription is like that">
      Take a filter away. The first field finds who would receive a topic; the second wants the
      filter to the letter.
    </Empty>
  ) : (
    <Empty icon="subscriptions" title="Nobody is subscribed to anything yet" />
  );
}
