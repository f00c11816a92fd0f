import { Group, Select } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type AuditRecord, answered, api } from "../api/client";
import { useParams } from "../lib/params";
import { Filter } from "../parts/Filter";
import { Empty, Failed, Page, WaitingRows } from "../parts/Page";
import { type Column, Table } from "../parts/Table";
import { type Kind, Moment, Status } from "../parts/Words";

const SHOWN = 500;
const KINDS = ["login", "session", "access", "ban", "admin", "change", "node", "audit"];
const OUTCOMES: Record<string, Kind> = { done: "good", refused: "warn", failed: "bad" };

/** How something ended, by its word and a sign. */
export function Outcome({ outcome }: { outcome: string }) {
  return <Status kind={OUTCOMES[outcome] ?? "none"}>{outcome}</Status>;
}

const or = (text: string | null | undefined) => text || <span className="muted">–</span>;

const COLUMNS: Column<AuditRecord>[] = [
  { key: "time", title: "When", width: "104px", cell: (row) => <Moment at={row.time} /> },
  {
    key: "act",
    title: "What",
    width: "minmax(110px, 1fr)",
    cell: (row) => <span title={row.kind}>{row.act}</span>,
  },
  {
    key: "outcome",
    title: "Outcome",
    width: "92px",
    cell: (row) => <Outcome outcome={row.outcome} />,
  },
  {
    key: "user",
    title: "User",
    width: "minmax(70px, 0.8fr)",
    from: 560,
    cell: (row) => or(row.user),
  },
  {
    key: "client",
    title: "Client",
    width: "minmax(90px, 1fr)",
    from: 900,
    cell: (row) => <span className="mono">{or(row.client)}</span>,
  },
  {
    key: "peer",
    title: "From",
    width: "minmax(90px, 0.8fr)",
    from: 1000,
    cell: (row) => <span className="mono">{or(row.peer)}</span>,
  },
  {
    key: "target",
    title: "On",
    width: "minmax(90px, 1.4fr)",
    from: 700,
    cell: (row) => (
      <span className="mono" title={row.target ?? undefined}>
        {or(row.target)}
      </span>
    ),
  },
  {
    key: "because",
    title: "Because",
    width: "minmax(80px, 1.2fr)",
    from: 1150,
    cell: (row) => <span title={row.because ?? undefined}>{or(row.because)}</span>,
  },
];

/** What was changed and refused, and by whom. */
export default function Audit() {
  const [params, setParams] = useParams();
  const words = ["search", "kind", "outcome"].map((name) => params.get(name) ?? "");
  const [search, kind, outcome] = words;
  const records = useQuery({
    queryKey: ["audit", words],
    placeholderData: keepPreviousData,
    refetchInterval: 5000,
    queryFn: () => {
      const query = {
        limit: SHOWN,
        ...(search ? { search } : {}),
        ...(kind ? { kind } : {}),
        ...(outcome ? { outcome } : {}),
      };
      return answered(api.GET("/api/v5/audit", { params: { query } }));
    },
  });
  if (records.isError && !records.data)
    return <Failed error={records.error} retry={() => records.refetch()} />;
  const rows = records.data?.data ?? [];
  return (
    <Page
      title="Audit"
      isFilling
      lead={records.data?.meta.hasnext ? `the newest ${SHOWN}` : undefined}
    >
      <Group gap="xs">
        <Filter
          label="Anything in a record…"
          value={search ?? ""}
          onFilter={(wanted) => setParams({ search: wanted })}
          w={240}
        />
        <Select
          aria-label="Kind"
          placeholder="Any kind"
          clearable
          w={130}
          data={KINDS}
          value={kind || null}
          onChange={(wanted) => setParams({ kind: wanted ?? "" })}
        />
        <Select
          aria-label="Outcome"
          placeholder="Any outcome"
          clearable
          w={140}
          data={Object.keys(OUTCOMES)}
          value={outcome || null}
          onChange={(wanted) => setParams({ outcome: wanted ?? "" })}
        />
      </Group>
      <Table
        label="Audit log"
        rows={rows}
        columns={COLUMNS}
        id={(row) => String(row.seq)}
        empty={
          records.isLoading ? (
            <WaitingRows />
          ) : (
            <Empty icon="audit" title="No record is like that" />
          )
        }
      />
    </Page>
  );
}
