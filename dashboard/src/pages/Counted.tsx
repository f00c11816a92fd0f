import { ActionIcon, Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { TenantPick } from "../access/TenantPick";
import type { TopicMetrics } from "../api/client";
import { mayChange, session } from "../api/session";
import { count, plural } from "../lib/format";
import { useStore } from "../lib/store";
import { topicFault } from "../lib/topics";
import { complain } from "../parts/confirm";
import { Ends } from "../parts/Ends";
import { Icon } from "../parts/Icon";
import { Empty, Failed, FormFailure, Page, WaitingRows } from "../parts/Page";
import { type Column, Table } from "../parts/Table";
import { Copyable, Moment } from "../parts/Words";
import {
  countTopic,
  numberOf,
  resetCounts,
  useCounted,
  useRecount,
  useStopCounting,
} from "../topics/counts";

/** Topics whose messages are counted. */
export default function Counted() {
  const [isOpen, form] = useDisclosure();
  const counted = useCounted();
  const again = useRecount();
  const remove = useStopCounting();
  const may = mayChange(useStore(session)?.role ?? "viewer");
  const reset = useMutation({ mutationFn: resetCounts, onError: complain, onSettled: again });
  if (counted.isError && !counted.data)
    return <Failed error={counted.error} retry={() => counted.refetch()} />;
  const rows = counted.data ?? [];
  return (
    <Page
      title="Counted topics"
      isFilling
      lead={counted.data && plural(rows.length, "topic")}
      acts={
        may && (
          <Button leftSection={<Icon name="plus" />} onClick={form.open}>
            Count a topic
          </Button>
        )
      }
    >
      <Table
        label="Counted topics"
        rows={rows}
        columns={columnsOf(may ? { reset: reset.mutate, remove } : undefined)}
        id={(one) => `${one.tenant ?? ""} ${one.topic}`}
        empty={counted.isLoading ? <WaitingRows rows={3} /> : <Nothing />}
      />
      <Modal opened={isOpen} onClose={form.close} title="Count a topic">
        <CountTopic close={form.close} />
      </Modal>
    </Page>
  );
}

function Nothing() {
  return (
    <Empty icon="count" title="No topic is counted">
      The node can count what is published to single topics and delivered from them, until it ends.
    </Empty>
  );
}

function numberColumn(key: string, title: string, name: string, from?: number) {
  const isRate = name.endsWith(".rate");
  const column: Column<TopicMetrics> = {
    key,
    title,
    width: "90px",
    isNumber: true,
    cell: (one) => (isRate ? `${numberOf(one, name)}/s` : count(numberOf(one, name))),
  };
  return from === undefined ? column : { ...column, from };
}

interface Acts {
  reset: (counted: TopicMetrics) => void;
  remove: (counted: TopicMetrics) => void;
}

function columnsOf(acts: Acts | undefined): Column<TopicMetrics>[] {
  const columns: Column<TopicMetrics>[] = [
    {
      key: "topic",
      title: "Topic",
      width: "minmax(120px, 2fr)",
      cell: (one) => <Copyable text={one.topic} label="topic" />,
    },
    {
      key: "tenant",
      title: "Tenant",
      width: "minmax(80px, 0.7fr)",
      from: 1000,
      cell: (one) => one.tenant ?? <span className="muted">–</span>,
    },
    numberColumn("in", "In", "messages.in.count"),
    numberColumn("in-rate", "In now", "messages.in.rate", 700),
    numberColumn("out", "Out", "messages.out.count"),
    numberColumn("out-rate", "Out now", "messages.out.rate", 700),
    {
      key: "since",
      title: "Since",
      width: "110px",
      from: 900,
      cell: (one) => <Moment at={one.reset_time ?? one.create_time} />,
    },
  ];
  if (!acts) return columns;
  return [
    ...columns,
    {
      key: "acts",
      title: <span className="visually-hidden">What can be done</span>,
      width: "64px",
      cell: (one) => (
        <Group gap={4} justify="flex-end" wrap="nowrap">
          <ActionIcon
            size="sm"
            aria-label={`Count ${one.topic} anew`}
            onClick={() => acts.reset(one)}
          >
            <Icon name="refresh" size={14} />
          </ActionIcon>
          <ActionIcon
            size="sm"
            aria-label={`Count ${one.topic} no more`}
            onClick={() => acts.remove(one)}
          >
            <Icon name="trash" size={14} />
          </ActionIcon>
        </Group>
      ),
    },
  ];
}

function CountTopic({ close }: { close: () => void }) {
  const again = useRecount();
  const form = useForm({
    initialValues: { topic: "", tenant: "" },
    validate: { topic: (topic) => (topic === "" ? "Say a topic" : (topicFault(topic) ?? null)) },
  });
  const begin = useMutation({
    mutationFn: ({ topic, tenant }: typeof form.values) => countTopic(topic, tenant),
    onSuccess: async () => {
      await again();
      close();
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => begin.mutate(values))}>
      <Stack gap="sm">
        <TextInput
          label="Topic"
          description="Without wildcards"
          classNames={{ input: "mono" }}
          data-autofocus
          {...form.getInputProps("topic")}
        />
        <TenantPick
          label="Whose topic"
          value={form.values.tenant}
          onPick={(tenant) => form.setFieldValue("tenant", tenant)}
        />
        <FormFailure error={begin.error} />
        <Ends close={close} act="Count" isBusy={begin.isPending} />
      </Stack>
    </form>
  );
}
