import { Button, Group, Modal, NumberInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";
import { answered, api, type SlowSettings, type SlowSubscription } from "../api/client";
import { clientPath } from "../api/clients";
import { mayChange, session } from "../api/session";
import { count } from "../lib/format";
import { useStore } from "../lib/store";
import { complain, confirm, tell } from "../parts/confirm";
import { Ends } from "../parts/Ends";
import { Empty, Failed, FormFailure, Page, Waiting } from "../parts/Page";
import { type Column, Table } from "../parts/Table";
import { Copyable, Moment, Status } from "../parts/Words";

const KEY = ["slow"];
const REFRESH = 3000;
/** As many as the node remembers at most. */
const SHOWN = 1000;

/** What is measured. */
const KINDS: { value: SlowSettings["stats_type"]; label: string; words: string }[] = [
  { value: "whole", label: "Until the client has acknowledged", words: "until acknowledged" },
  { value: "internal", label: "Until it was written to the client", words: "until written" },
  {
    value: "response",
    label: "From written until acknowledged",
    words: "from written until acknowledged",
  },
];

const whoOf = ({ clientid, tenant }: SlowSubscription) =>
  tenant ? { clientid, tenant } : { clientid };

const COLUMNS: Column<SlowSubscription>[] = [
  {
    key: "client",
    title: "Client",
    width: "minmax(110px, 1fr)",
    cell: (slow) => (
      <Link className="mono" to={clientPath(whoOf(slow))} title={slow.clientid}>
        {slow.clientid}
      </Link>
    ),
  },
  {
    key: "tenant",
    title: "Tenant",
    width: "minmax(80px, 0.6fr)",
    from: 900,
    cell: (slow) => slow.tenant ?? <span className="muted">–</span>,
  },
  {
    key: "topic",
    title: "Slowest message to",
    width: "minmax(110px, 1.6fr)",
    cell: (slow) => <Copyable text={slow.topic} label="topic" />,
  },
  {
    key: "took",
    title: "Took",
    width: "100px",
    isNumber: true,
    cell: (slow) => `${count(slow.timespan)} ms`,
  },
  {
    key: "at",
    title: "When",
    width: "110px",
    from: 560,
    cell: (slow) => <Moment at={slow.last_update_time} />,
  },
];

function useSettings() {
  return useQuery({
    queryKey: [...KEY, "settings"],
    queryFn: () => answered(api.GET("/api/v5/slow_subscriptions/settings")),
    refetchInterval: REFRESH,
  });
}

function useSlow() {
  return useQuery({
    queryKey: [...KEY, "clients"],
    queryFn: () =>
      answered(api.GET("/api/v5/slow_subscriptions", { params: { query: { limit: SHOWN } } })),
    refetchInterval: REFRESH,
  });
}

const put = (body: SlowSettings) =>
  answered(api.PUT("/api/v5/slow_subscriptions/settings", { body }));

/** Clients for which messages take long. */
export default function Slow() {
  const [isOpen, form] = useDisclosure();
  const settings = useSettings();
  const slow = useSlow();
  const may = mayChange(useStore(session)?.role ?? "viewer");
  const failed = [settings, slow].find((one) => one.isError && !one.data);
  if (failed) return <Failed error={failed.error} retry={() => failed.refetch()} />;
  if (!settings.data || !slow.data) return <Waiting />;
  return (
    <Page
      title="Slow clients"
      isFilling
      lead={<Lead settings={settings.data} />}
      acts={
        may && (
          <Acts settings={settings.data} isEmpty={slow.data.data.length === 0} change={form.open} />
        )
      }
    >
      <Table
        label="Slow clients"
        rows={slow.data.data}
        columns={COLUMNS}
        id={(one) => `${one.tenant ?? ""} ${one.clientid}`}
        empty={<Nobody settings={settings.data} />}
      />
      <Modal opened={isOpen} onClose={form.close} title="Look for slow clients">
        <SettingsForm settings={settings.data} close={form.close} />
      </Modal>
    </Page>
  );
}

function Lead({ settings }: { settings: SlowSettings }) {
  if (!settings.enable) return <Status kind="none">Not looked for</Status>;
  const words = KINDS.find((kind) => kind.value === settings.stats_type)?.words;
  return (
    <Status kind="good">
      Looked for: {settings.threshold} and more, {words}
    </Status>
  );
}

function Nobody({ settings }: { settings: SlowSettings }) {
  return settings.enable ? (
    <Empty icon="slow" title="Nobody is slow">
      Clients stand here whose messages take {settings.threshold} or more, the slowest first.
    </Empty>
  ) : (
    <Empty icon="slow" title="Slow clients are not looked for">
      The node can watch how long messages take to each client, until it ends.
    </Empty>
  );
}

interface ActsProps {
  settings: SlowSettings;
  isEmpty: boolean;
  change: () => void;
}

function Acts({ settings, isEmpty, change }: ActsProps) {
  const queries = useQueryClient();
  const again = () => queries.invalidateQueries({ queryKey: KEY });
  const stop = useMutation({
    mutationFn: () => put({ ...settings, enable: false }),
    onError: complain,
    onSettled: again,
  });
  const forget = () =>
    confirm({
      title: "Forget who was slow?",
      body: "The list begins anew.",
      act: "Forget",
      done: "The list begins anew.",
      run: async () => {
        await answered(api.DELETE("/api/v5/slow_subscriptions"));
        await again();
      },
    });
  if (!settings.enable) return <Button onClick={change}>Look for slow clients</Button>;
  return (
    <Group gap="xs">
      <Button variant="default" onClick={forget} disabled={isEmpty}>
        Forget
      </Button>
      <Button variant="default" onClick={change}>
        Change
      </Button>
      <Button variant="default" loading={stop.isPending} onClick={() => stop.mutate()}>
        Stop
      </Button>
    </Group>
  );
}

const SPAN = /^\d+(ms|s|m|h)$/;
const spanFault = (span: string) =>
  SPAN.test(span) ? null : "A number with ms, s, m or h, such as 500ms";

function SettingsForm({ settings, close }: { settings: SlowSettings; close: () => void }) {
  const queries = useQueryClient();
  const form = useForm({
    initialValues: { ...settings, enable: true },
    validate: {
      threshold: spanFault,
      expire_interval: spanFault,
      // An empty field is a text, whatever the type says.
      top_k_num: (number) => (Number.isInteger(number) ? null : "1 to 1,000"),
    },
  });
  const begin = useMutation({
    mutationFn: put,
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: KEY });
      close();
      tell("Slow clients are looked for, until the node ends.");
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => begin.mutate(values))}>
      <Stack gap="sm">
        <TextInput
          label="Slow is"
          description="A message that takes so long or longer"
          classNames={{ input: "mono" }}
          data-autofocus
          {...form.getInputProps("threshold")}
        />
        <Select
          label="What is measured"
          allowDeselect={false}
          data={KINDS.map(({ value, label }) => ({ value, label }))}
          {...form.getInputProps("stats_type")}
        />
        <NumberInput
          label="How many are remembered"
          min={1}
          max={SHOWN}
          allowDecimal={false}
          clampBehavior="strict"
          {...form.getInputProps("top_k_num")}
        />
        <TextInput
          label="For how long"
          classNames={{ input: "mono" }}
          {...form.getInputProps("expire_interval")}
        />
        {settings.enable && (
          <Text size="sm" c="dimmed">
            The list begins anew.
          </Text>
        )}
        <FormFailure error={begin.error} />
        <Ends close={close} act="Look for them" isBusy={begin.isPending} />
      </Stack>
    </form>
  );
}
