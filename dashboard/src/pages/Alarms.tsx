import type { Alarm } from "../api/client";
import { momentOf } from "../lib/format";
import { Empty, Failed, Page, WaitingRows } from "../parts/Page";
import { type Column, Table } from "../parts/Table";
import { Moment, Status } from "../parts/Words";
import { useAlarms } from "../shell/Navigation";

const COLUMNS: Column<Alarm>[] = [
  {
    key: "name",
    title: "Alarm",
    width: "minmax(120px, 1fr)",
    cell: (row) => <Status kind="warn">{row.name}</Status>,
  },
  {
    key: "message",
    title: "What it is about",
    width: "minmax(140px, 3fr)",
    cell: (row) => <span title={row.message}>{row.message}</span>,
  },
  { key: "node", title: "Node", width: "minmax(80px, 0.8fr)", from: 700, cell: (row) => row.node },
  { key: "since", title: "Began", width: "110px", cell: (row) => <Moment at={row.activate_at} /> },
];

/** What somebody should look at now. */
export default function Alarms() {
  const alarms = useAlarms();
  if (alarms.isError && !alarms.data)
    return <Failed error={alarms.error} retry={() => alarms.refetch()} />;
  const rows = [...(alarms.data?.data ?? [])].sort(
    (a, b) => (momentOf(b.activate_at) || 0) - (momentOf(a.activate_at) || 0),
  );
  return (
    <Page
      title="Alarms"
      isFilling
      lead={alarms.data && (rows.length === 0 ? "none stands" : `${rows.length} stand`)}
    >
      <Table
        label="Alarms"
        rows={rows}
        columns={COLUMNS}
        id={(row) => `${row.node} ${row.name}`}
        empty={
          alarms.isLoading ? (
            <WaitingRows rows={3} />
          ) : (
            <Empty icon="alarms" title="Nothing needs attention">
              Alarms stand here while what they are about lasts, such as a disk that is full or a
              certificate that ends soon.
            </Empty>
          )
        }
      />
    </Page>
  );
}
