import {
  ActionIcon,
  Button,
  Group,
  Modal,
  ScrollArea,
  Select,
  Stack,
  TextInput,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answered, api, type Trace } from "../api/client";
import { mayChange, session } from "../api/session";
import { bytes, plural } from "../lib/format";
import { save } from "../lib/save";
import { useStore } from "../lib/store";
import { filterFault } from "../lib/topics";
import { complain, confirm } from "../parts/confirm";
import { Ends } from "../parts/Ends";
import { Icon } from "../parts/Icon";
import { Empty, Failed, FormFailure, Page, Waiting, WaitingRows } from "../parts/Page";
import payload from "../parts/Payload.module.css";
import { type Column, Table } from "../parts/Table";
import { Moment, Status } from "../parts/Words";

const KEY = ["traces"];
/** Bytes of a trace that are shown. */
const SHOWN = 262_144;
const MINUTE = 60_000;

const sizeOf = (trace: Trace) => Object.values(trace.log_size).reduce((sum, size) => sum + size, 0);
const chosenBy = (trace: Trace) => trace.clientid ?? trace.topic ?? trace.ip_address ?? "";

interface Acts {
  open: (trace: Trace) => void;
  stop: (trace: Trace) => void;
  remove: (trace: Trace) => void;
}

function columnsOf({ open, stop, remove }: Acts, may: boolean): Column<Trace>[] {
  return [
    {
      key: "name",
      title: "Name",
      width: "minmax(90px, 1fr)",
      cell: (trace) => (
        <button type="button" className="plain" onClick={() => open(trace)}>
          {trace.name}
        </button>
      ),
    },
    {
      key: "by",
      title: "Follows",
      width: "minmax(110px, 1.4fr)",
      cell: (trace) => <span className="mono">{chosenBy(trace)}</span>,
    },
    {
      key: "state",
      title: "State",
      width: "96px",
      cell: (trace) =>
        trace.status === "running" ? (
          <Status kind="good">Records</Status>
        ) : (
          <Status kind="none">Ended</Status>
        ),
    },
    {
      key: "size",
      title: "Size",
      width: "80px",
      isNumber: true,
      from: 560,
      cell: (trace) => bytes(sizeOf(trace)),
    },
    {
      key: "began",
      title: "Began",
      width: "104px",
      from: 800,
      cell: (trace) => <Moment at={trace.start_at} />,
    },
    {
      key: "ends",
      title: "Ends",
      width: "104px",
      from: 800,
      cell: (trace) => <Moment at={trace.end_at} />,
    },
    {
      key: "acts",
      title: <span className="visually-hidden">What can be done</span>,
      width: "64px",
      cell: (trace) =>
        may && (
          <Group gap={4} justify="flex-end" wrap="nowrap">
            <ActionIcon
              size="sm"
              aria-label={`Stop ${trace.name}`}
              disabled={trace.status !== "running"}
              onClick={() => stop(trace)}
            >
              <Icon name="pause" size={14} />
            </ActionIcon>
            <ActionIcon size="sm" aria-label={`Delete ${trace.name}`} onClick={() => remove(trace)}>
              <Icon name="trash" size={14} />
            </ActionIcon>
          </Group>
        ),
    },
  ];
}

/** What is, or was, written down of clients. */
export default function Traces() {
  const [isOpen, form] = useDisclosure();
  const [opened, setOpened] = useState<Trace>();
  const may = mayChange(useStore(session)?.role ?? "viewer");
  const traces = useQuery({
    queryKey: KEY,
    queryFn: () => answered(api.GET("/api/v5/trace")),
    refetchInterval: 3000,
  });
  const acts = useActs();
  if (traces.isError && !traces.data)
    return <Failed error={traces.error} retry={() => traces.refetch()} />;
  const rows = traces.data ?? [];
  return (
    <Page
      title="Traces"
      isFilling
      lead={traces.data && plural(rows.length, "trace")}
      acts={
        may && (
          <Button leftSection={<Icon name="plus" />} onClick={form.open}>
            New trace
          </Button>
        )
      }
    >
      <Table
        label="Traces"
        rows={rows}
        columns={columnsOf({ ...acts, open: setOpened }, may)}
        id={(trace) => trace.name}
        empty={
          traces.isLoading ? (
            <WaitingRows rows={3} />
          ) : (
            <Empty icon="trace" title="Nothing is traced">
              A trace writes down what a client, a topic or an address does and gets, for a while,
              to be read afterwards.
            </Empty>
          )
        }
      />
      <Modal opened={isOpen} onClose={form.close} title="New trace">
        <NewTrace close={form.close} />
      </Modal>
      <Modal
        opened={opened !== undefined}
        onClose={() => setOpened(undefined)}
        title={`Trace ${opened?.name ?? ""}`}
        size="xl"
      >
        {opened && <Detail trace={opened} />}
      </Modal>
    </Page>
  );
}

function useActs(): Pick<Acts, "stop" | "remove"> {
  const queries = useQueryClient();
  const again = () => queries.invalidateQueries({ queryKey: KEY });
  const stop = useMutation({
    mutationFn: (name: string) =>
      answered(api.PUT("/api/v5/trace/{name}/stop", { params: { path: { name } } })),
    onError: complain,
    onSettled: again,
  });
  const remove = ({ name }: Trace) =>
    confirm({
      title: `Delete the trace ${name}?`,
      body: "It ends, and what it has written is gone.",
      act: "Delete trace",
      done: `Deleted the trace ${name}.`,
      run: async () => {
        await answered(api.DELETE("/api/v5/trace/{name}", { params: { path: { name } } }));
        await again();
      },
    });
  return { stop: ({ name }) => stop.mutate(name), remove };
}

const KINDS = [
  { value: "clientid", label: "A client, by its identifier" },
  { value: "topic", label: "A topic filter" },
  { value: "ip_address", label: "An address" },
];
const LASTS = [
  { value: "10", label: "Ten minutes" },
  { value: "60", label: "An hour" },
  { value: "1440", label: "A day" },
];
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

function NewTrace({ close }: { close: () => void }) {
  const queries = useQueryClient();
  const form = useForm({
    initialValues: { name: "", type: "clientid" as Trace["type"], who: "", minutes: "10" },
    validate: {
      name: (name) => (NAME.test(name) ? null : "1 to 64 letters, digits, _ and -"),
      who: (who, { type }) =>
        type === "topic" ? (filterFault(who) ?? null) : who ? null : "Say what is followed",
    },
  });
  const begin = useMutation({
    mutationFn: ({ name, type, who, minutes }: typeof form.values) => {
      const end_at = new Date(Date.now() + Number(minutes) * MINUTE).toISOString();
      return answered(api.POST("/api/v5/trace", { body: { name, type, [type]: who, end_at } }));
    },
    onSuccess: async () => {
      close();
      await queries.invalidateQueries({ queryKey: KEY });
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => begin.mutate(values))}>
      <Stack gap="sm">
        <TextInput label="Name" autoComplete="off" data-autofocus {...form.getInputProps("name")} />
        <Select label="By" allowDeselect={false} data={KINDS} {...form.getInputProps("type")} />
        <TextInput
          label="What is followed"
          classNames={{ input: "mono" }}
          {...form.getInputProps("who")}
        />
        <Select label="For" allowDeselect={false} data={LASTS} {...form.getInputProps("minutes")} />
        <FormFailure error={begin.error} />
        <Ends close={close} act="Begin" isBusy={begin.isPending} />
      </Stack>
    </form>
  );
}

function Detail({ trace }: { trace: Trace }) {
  const path = { name: trace.name };
  const position = Math.max(0, sizeOf(trace) - SHOWN);
  const log = useQuery({
    queryKey: ["trace", trace.name],
    queryFn: () =>
      answered(
        api.GET("/api/v5/trace/{name}/log", {
          params: { path, query: { bytes: SHOWN, position } },
        }),
      ),
    refetchInterval: trace.status === "running" ? 2000 : false,
  });
  const download = useMutation({
    mutationFn: async () => {
      const text = await answered(
        api.GET("/api/v5/trace/{name}/download", { params: { path }, parseAs: "text" }),
      );
      save(`${trace.name}.ndjson`, text, "application/x-ndjson");
    },
    onError: complain,
  });
  if (log.isError) return <Failed error={log.error} retry={() => log.refetch()} />;
  if (!log.data) return <Waiting />;
  return (
    <Stack gap="sm">
      <ScrollArea.Autosize mah="60vh">
        <pre className={payload.payload} data-format="hex" style={{ maxHeight: "none" }}>
          {log.data.items || "Nothing was written yet."}
        </pre>
      </ScrollArea.Autosize>
      <Group justify="space-between">
        <span className="muted">
          {position > 0 ? `the last ${bytes(SHOWN)} of ${bytes(sizeOf(trace))}` : ""}
        </span>
        <Button variant="default" loading={download.isPending} onClick={() => download.mutate()}>
          Download all
        </Button>
      </Group>
    </Stack>
  );
}
