import { Button, Group, Modal, Stack } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answered, api, type RetainedMessage } from "../api/client";
import { mayChange, session } from "../api/session";
import { PART, useWalk } from "../api/walk";
import { bytes, count } from "../lib/format";
import { useParams } from "../lib/params";
import { type Format, preview, shownBytes } from "../lib/payload";
import { useStore } from "../lib/store";
import { filterFault } from "../lib/topics";
import { confirm } from "../parts/confirm";
import { Filter } from "../parts/Filter";
import { Icon } from "../parts/Icon";
import { Empty, Failed, Page, Waiting, WaitingRows } from "../parts/Page";
import { Payload } from "../parts/Payload";
import { type Column, Table } from "../parts/Table";
import { WalkFoot } from "../parts/WalkFoot";
import { Copyable, Facts, Moment } from "../parts/Words";

/** Bytes of each payload that the list shows. */
const GLANCE = 160;

function columnsOf(open: (message: RetainedMessage) => void): Column<RetainedMessage>[] {
  return [
    {
      key: "topic",
      title: "Topic",
      width: "minmax(120px, 1.6fr)",
      cell: (row) => (
        <button type="button" className="plain mono" onClick={() => open(row)} title={row.topic}>
          {row.topic}
        </button>
      ),
    },
    {
      key: "payload",
      title: "Payload",
      width: "minmax(100px, 1.6fr)",
      cell: (row) => (
        <span className="mono muted">
          {preview(shownBytes(row.payload, row.payload_encoding), 80)}
        </span>
      ),
    },
    {
      key: "size",
      title: "Size",
      width: "72px",
      isNumber: true,
      from: 560,
      cell: (row) => bytes(row.size),
    },
    { key: "qos", title: "QoS", width: "44px", isNumber: true, from: 700, cell: (row) => row.qos },
    {
      key: "from",
      title: "Published by",
      width: "minmax(90px, 1fr)",
      from: 900,
      cell: (row) => <span className="mono">{row.from_clientid}</span>,
    },
    {
      key: "ends",
      title: "Expires",
      width: "104px",
      from: 1000,
      cell: (row) => (row.expires_at ? <Moment at={row.expires_at} /> : "never"),
    },
  ];
}

/** Messages that are kept for those who subscribe later. */
export default function Retained() {
  const [params, setParams] = useParams();
  const [opened, setOpened] = useState<RetainedMessage>();
  const typed = params.get("topic") ?? "";
  const topic = filterFault(typed) ? "" : typed;
  const walk = useWalk<RetainedMessage>(["retained", topic], (cursor) => {
    const query = { cursor, limit: PART, payload_max: GLANCE, ...(topic ? { topic } : {}) };
    return answered(api.GET("/api/v5/mqtt/retainer/messages", { params: { query } }));
  });
  if (walk.error) return <Failed error={walk.error} retry={walk.refetch} />;
  return (
    <Page
      title="Retained"
      isFilling
      lead={walk.count === undefined ? undefined : count(walk.count)}
    >
      <Group gap="xs">
        <Filter
          label="Topic filter, such as plant/#…"
          value={typed}
          onFilter={(wanted) => setParams({ topic: wanted })}
          error={typed ? filterFault(typed) : undefined}
          w={260}
        />
      </Group>
      <Table
        label="Retained messages"
        rows={walk.rows}
        columns={columnsOf(setOpened)}
        id={(row) => `${row.tenant ?? ""}\u0000${row.topic}`}
        onEnd={walk.onEnd}
        empty={walk.isLoading ? <WaitingRows /> : <None isFiltered={topic !== ""} />}
        foot={<WalkFoot walk={walk} />}
      />
      <Modal
        opened={opened !== undefined}
        onClose={() => setOpened(undefined)}
        title="Retained message"
        size="lg"
      >
        {opened && <Detail message={opened} close={() => setOpened(undefined)} />}
      </Modal>
    </Page>
  );
}

function None({ isFiltered }: { isFiltered: boolean }) {
  return isFiltered ? (
    <Empty icon="search" title="No retained message has such a topic" />
  ) : (
    <Empty icon="retained" title="No message is retained">
      The last message of a topic that is published with the mark Retain stands here.
    </Empty>
  );
}

function Detail({ message, close }: { message: RetainedMessage; close: () => void }) {
  const [format, setFormat] = useState<Format>();
  const queries = useQueryClient();
  const may = mayChange(useStore(session)?.role ?? "viewer");
  const params = {
    path: { topic: message.topic },
    query: message.tenant ? { tenant: message.tenant } : {},
  };
  const whole = useQuery({
    queryKey: ["retained-message", message.topic, message.tenant],
    queryFn: () => answered(api.GET("/api/v5/mqtt/retainer/message/{topic}", { params })),
  });
  const remove = () =>
    confirm({
      title: "End this retained message?",
      body: (
        <>
          Who subscribes to <b className="mono">{message.topic}</b> later gets none. Who is
          subscribed now gets an empty message.
        </>
      ),
      act: "End message",
      done: "The retained message is gone.",
      run: async () => {
        await answered(api.DELETE("/api/v5/mqtt/retainer/message/{topic}", { params }));
        close();
        await queries.invalidateQueries({ queryKey: ["retained"] });
      },
    });
  return (
    <Stack gap="sm">
      <Facts
        facts={[
          ["Topic", <Copyable key="topic" text={message.topic} label="topic" />],
          [
            "Published by",
            <span key="from" className="mono">
              {message.from_clientid}
            </span>,
          ],
          ...(message.content_type
            ? [["Content type", message.content_type] as [string, string]]
            : []),
        ]}
      />
      {whole.isError && <Failed error={whole.error} retry={() => whole.refetch()} />}
      {whole.isLoading && <Waiting />}
      {whole.data && (
        <Payload
          payload={shownBytes(whole.data.payload, whole.data.payload_encoding)}
          size={whole.data.size}
          format={format}
          choose={setFormat}
        />
      )}
      {may && (
        <Group justify="flex-end">
          <Button variant="default" leftSection={<Icon name="trash" />} onClick={remove}>
            End message
          </Button>
        </Group>
      )}
    </Stack>
  );
}
