import { ActionIcon, Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api, type Banned } from "../api/client";
import { mayChange, session } from "../api/session";
import { plural } from "../lib/format";
import { useStore } from "../lib/store";
import { BAN_KINDS, BanForm } from "../parts/BanForm";
import { confirm } from "../parts/confirm";
import { Icon } from "../parts/Icon";
import { Empty, Failed, Page, WaitingRows } from "../parts/Page";
import { type Column, Table } from "../parts/Table";
import { Copyable, Moment } from "../parts/Words";

const KEY = ["banned"];
const SHOWN = 10_000;

const kindOf = (ban: Banned) => BAN_KINDS.find((kind) => kind.value === ban.as)?.label ?? ban.as;

function columnsOf(remove: ((ban: Banned) => void) | undefined): Column<Banned>[] {
  const columns: Column<Banned>[] = [
    {
      key: "who",
      title: "Who",
      width: "minmax(110px, 1.4fr)",
      cell: (ban) => <Copyable text={ban.who} label="name" />,
    },
    { key: "as", title: "By", width: "minmax(90px, 0.8fr)", cell: kindOf },
    {
      key: "until",
      title: "Ends",
      width: "110px",
      cell: (ban) => (ban.until === "infinity" ? "never" : <Moment at={ban.until} />),
    },
    {
      key: "reason",
      title: "Reason",
      width: "minmax(90px, 1.4fr)",
      from: 700,
      cell: (ban) => <span title={ban.reason}>{ban.reason || "–"}</span>,
    },
    {
      key: "by",
      title: "Banned by",
      width: "minmax(80px, 0.8fr)",
      from: 900,
      cell: (ban) => ban.by,
    },
    {
      key: "source",
      title: "Stands in",
      width: "110px",
      from: 900,
      cell: (ban) => (ban.source === "file" ? "configuration" : "API"),
    },
  ];
  if (!remove) return columns;
  const act: Column<Banned> = {
    key: "acts",
    title: <span className="visually-hidden">What can be done</span>,
    width: "30px",
    cell: (ban) =>
      ban.source !== "file" && (
        <ActionIcon
          size="sm"
          aria-label={`Take the ban of ${ban.who} back`}
          onClick={() => remove(ban)}
        >
          <Icon name="trash" size={14} />
        </ActionIcon>
      ),
  };
  return [...columns, act];
}

/** Who is not let in. */
export default function Bans() {
  const [isOpen, form] = useDisclosure();
  const queries = useQueryClient();
  const may = mayChange(useStore(session)?.role ?? "viewer");
  const bans = useQuery({
    queryKey: KEY,
    queryFn: () => answered(api.GET("/api/v5/banned", { params: { query: { limit: SHOWN } } })),
    refetchInterval: 5000,
  });
  if (bans.isError && !bans.data) return <Failed error={bans.error} retry={() => bans.refetch()} />;
  const rows = bans.data?.data ?? [];
  const remove = (ban: Banned) =>
    confirm({
      title: "Take this ban back?",
      body: `${kindOf(ban)} ${ban.who} is let in again.`,
      act: "Take back",
      done: `${ban.who} is let in again.`,
      run: async () => {
        const params = {
          path: { as: ban.as, who: ban.who },
          query: ban.tenant ? { tenant: ban.tenant } : {},
        };
        await answered(api.DELETE("/api/v5/banned/{as}/{who}", { params }));
        await queries.invalidateQueries({ queryKey: KEY });
      },
    });
  return (
    <Page
      title="Bans"
      isFilling
      lead={bans.data && plural(rows.length, "ban")}
      acts={
        may && (
          <Button leftSection={<Icon name="plus" />} onClick={form.open}>
            Ban somebody
          </Button>
        )
      }
    >
      <Table
        label="Bans"
        rows={rows}
        columns={columnsOf(may ? remove : undefined)}
        id={(ban) => `${ban.as} ${ban.who} ${ban.tenant ?? ""} ${ban.source}`}
        empty={bans.isLoading ? <WaitingRows rows={3} /> : <NoBans />}
      />
      <BanForm isOpen={isOpen} close={form.close} />
    </Page>
  );
}

function NoBans() {
  return (
    <Empty icon="bans" title="Nobody is banned">
      Client identifiers, user names, addresses and networks can be kept out, for a while or for
      good.
    </Empty>
  );
}
