import { Button, Checkbox, Group, Modal, SegmentedControl, Stack } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import type { ClientEvent, LiveMessage } from "../api/client";
import { clientPath } from "../api/clients";
import { Stream, type StreamState } from "../api/stream";
import { count } from "../lib/format";
import { useParams } from "../lib/params";
import { type Format, preview, shownBytes } from "../lib/payload";
import { Store, useStore } from "../lib/store";
import { filterFault } from "../lib/topics";
import { Filter } from "../parts/Filter";
import { Icon } from "../parts/Icon";
import { Empty, Page } from "../parts/Page";
import { Payload } from "../parts/Payload";
import { type Column, Table } from "../parts/Table";
import { Copyable, Facts } from "../parts/Words";
import { Outcome } from "./Audit";
import { StreamStatus } from "./Topics";

/** Rows that are kept, and how often what has come is drawn. */
const KEPT = 2000;
const FRAME = 300;
const OPENING = new Store<StreamState>({ kind: "opening" });

interface Row<T> {
  number: number;
  told: T;
}

/** What a live view has told, the newest first, and how many events it had to leave out. */
function useLive<T>(path: string, query: Record<string, string>, isHeld: boolean) {
  const [rows, setRows] = useState<readonly Row<T>[]>([]);
  const [lost, setLost] = useState(0);
  const [stream, setStream] = useState<Stream>();
  const pending = useRef<Row<T>[]>([]);
  const key = JSON.stringify([path, query]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for path and query
  useEffect(() => {
    let number = 0;
    setRows([]);
    pending.current = [];
    const opened = new Stream(path, query, ({ name, data }) => {
      const told: unknown = JSON.parse(data);
      if (name === "lost") {
        setLost((before) => before + Number(Reflect.get(Object(told), "count") ?? 0));
        return;
      }
      number += 1;
      pending.current.push({ number, told: told as T });
      if (pending.current.length > KEPT) pending.current.shift();
    });
    setStream(opened);
    return () => opened.close();
  }, [key]);
  useEffect(() => {
    if (isHeld) return;
    const drawing = setInterval(() => {
      const fresh = pending.current;
      if (fresh.length === 0) return;
      pending.current = [];
      setRows((before) => [...fresh.reverse(), ...before].slice(0, KEPT));
    }, FRAME);
    return () => clearInterval(drawing);
  }, [isHeld]);
  const state = useStore(stream?.state ?? OPENING);
  return { rows, lost, state, clear: () => setRows([]) };
}

const clock = (at: string) => new Date(at).toLocaleTimeString("sv-SE");

function ClientLink({ clientid }: { clientid: string | null | undefined }) {
  return clientid ? (
    <Link className="mono" to={clientPath({ clientid })} title={clientid}>
      {clientid}
    </Link>
  ) : (
    <span className="muted">–</span>
  );
}

function messageColumns(open: (told: LiveMessage) => void): Column<Row<LiveMessage>>[] {
  return [
    {
      key: "at",
      title: "When",
      width: "72px",
      from: 560,
      cell: ({ told }) => <span className="muted number">{clock(told.at)}</span>,
    },
    { key: "event", title: "What", width: "108px", cell: ({ told }) => told.event },
    {
      key: "client",
      title: "Client",
      width: "minmax(90px, 1fr)",
      cell: ({ told }) => <ClientLink clientid={told.clientid} />,
    },
    {
      key: "topic",
      title: "Topic",
      width: "minmax(110px, 1.4fr)",
      cell: ({ told }) =>
        told.topic ? (
          <button
            type="button"
            className="plain mono"
            onClick={() => open(told)}
            title={told.topic}
          >
            {told.topic}
          </button>
        ) : (
          <span className="muted">{told.reason}</span>
        ),
    },
    {
      key: "payload",
      title: "Payload",
      width: "minmax(100px, 1.6fr)",
      from: 800,
      cell: ({ told }) =>
        told.count
          ? `${count(told.count)} dropped`
          : told.size != null && (
              <span className="mono muted">
                {preview(shownBytes(told.payload, told.payload_encoding), 80)}
              </span>
            ),
    },
    {
      key: "qos",
      title: "QoS",
      width: "40px",
      isNumber: true,
      from: 1000,
      cell: ({ told }) => told.qos ?? "",
    },
  ];
}

const EVENTS: Column<Row<ClientEvent>>[] = [
  {
    key: "at",
    title: "When",
    width: "72px",
    cell: ({ told }) => <span className="muted number">{clock(told.at)}</span>,
  },
  { key: "event", title: "What", width: "110px", cell: ({ told }) => told.event },
  {
    key: "outcome",
    title: "Outcome",
    width: "92px",
    cell: ({ told }) => <Outcome outcome={told.outcome} />,
  },
  {
    key: "client",
    title: "Client",
    width: "minmax(90px, 1fr)",
    cell: ({ told }) => <ClientLink clientid={told.clientid} />,
  },
  {
    key: "address",
    title: "From",
    width: "minmax(90px, 0.8fr)",
    from: 900,
    cell: ({ told }) => <span className="mono">{told.ip_address ?? "–"}</span>,
  },
  {
    key: "target",
    title: "On",
    width: "minmax(90px, 1fr)",
    from: 700,
    cell: ({ told }) => <span className="mono">{told.target ?? "–"}</span>,
  },
  {
    key: "because",
    title: "Because",
    width: "minmax(90px, 1.4fr)",
    from: 900,
    cell: ({ told }) => <span title={told.because ?? undefined}>{told.because ?? "–"}</span>,
  },
];

/** What goes on, as it happens. */
export default function Live() {
  const [params, setParams] = useParams();
  const view = params.get("view") ?? "messages";
  const [isHeld, setHeld] = useState(false);
  const shared = { params, setParams, isHeld, setHeld };
  return view === "events" ? <Events {...shared} /> : <Messages {...shared} />;
}

interface ViewProps {
  params: URLSearchParams;
  setParams: (changed: Record<string, string>) => void;
  isHeld: boolean;
  setHeld: (isHeld: boolean) => void;
}

interface Acts {
  isHeld: boolean;
  setHeld: (isHeld: boolean) => void;
  clear: () => void;
}

function LiveActs({ isHeld, setHeld, clear }: Acts) {
  return (
    <>
      <Button
        variant="default"
        onClick={() => setHeld(!isHeld)}
        leftSection={<Icon name={isHeld ? "play" : "pause"} size={12} />}
      >
        {isHeld ? "Go on" : "Hold"}
      </Button>
      <Button variant="default" onClick={clear}>
        Clear
      </Button>
    </>
  );
}

function ViewChoice({ params, setParams }: Pick<ViewProps, "params" | "setParams">) {
  return (
    <>
      <SegmentedControl
        aria-label="What is shown"
        value={params.get("view") ?? "messages"}
        onChange={(view) => setParams({ view: view === "messages" ? "" : view })}
        data={[
          { value: "messages", label: "Messages" },
          { value: "events", label: "Clients" },
        ]}
      />
      <Filter
        label="Client identifier…"
        value={params.get("client") ?? ""}
        onFilter={(client) => setParams({ client })}
        w={190}
      />
    </>
  );
}

function Messages({ params, setParams, isHeld, setHeld }: ViewProps) {
  const [opened, setOpened] = useState<LiveMessage>();
  const typed = params.get("topic") ?? "";
  const topic = filterFault(typed) ? "" : typed;
  const clientid = params.get("client") ?? "";
  const deliveries = params.get("deliveries") ?? "";
  const known = Object.entries({ topic, clientid, deliveries }).filter(([, value]) => value !== "");
  const live = useLive<LiveMessage>("/live/messages", Object.fromEntries(known), isHeld);
  return (
    <Page
      title="Live log"
      isFilling
      lead={<StreamStatus state={live.state} />}
      acts={<LiveActs isHeld={isHeld} setHeld={setHeld} clear={live.clear} />}
    >
      <Group gap="xs">
        <ViewChoice params={params} setParams={setParams} />
        <Filter
          label="Topic filter, such as plant/#…"
          value={typed}
          onFilter={(wanted) => setParams({ topic: wanted })}
          error={typed ? filterFault(typed) : undefined}
          w={240}
        />
        <Checkbox
          label="Deliveries too"
          checked={deliveries !== ""}
          onChange={(event) => setParams({ deliveries: event.currentTarget.checked ? "true" : "" })}
        />
      </Group>
      <Table
        label="Live log"
        rows={live.rows}
        columns={messageColumns(setOpened)}
        id={({ number }) => String(number)}
        empty={
          <Empty icon="live" title="Nothing has happened yet">
            {deliveries
              ? "What is published, delivered, acknowledged, subscribed to and dropped stands here from now on."
              : "What is published, subscribed to and dropped stands here from now on."}
          </Empty>
        }
        foot={<Foot rows={live.rows.length} lost={live.lost} isHeld={isHeld} />}
      />
      <Modal
        opened={opened !== undefined}
        onClose={() => setOpened(undefined)}
        title="Message"
        size="lg"
      >
        {opened && <Opened told={opened} />}
      </Modal>
    </Page>
  );
}

function Events({ params, setParams, isHeld, setHeld }: ViewProps) {
  const clientid = params.get("client") ?? "";
  const live = useLive<ClientEvent>(
    "/live/events",
    { last: "200", ...(clientid ? { clientid } : {}) },
    isHeld,
  );
  return (
    <Page
      title="Live log"
      isFilling
      lead={<StreamStatus state={live.state} />}
      acts={<LiveActs isHeld={isHeld} setHeld={setHeld} clear={live.clear} />}
    >
      <Group gap="xs">
        <ViewChoice params={params} setParams={setParams} />
      </Group>
      <Table
        label="Live log"
        rows={live.rows}
        columns={EVENTS}
        id={({ number }) => String(number)}
        empty={
          <Empty icon="live" title="Nothing has happened yet">
            Who comes, goes and is refused stands here.
          </Empty>
        }
        foot={<Foot rows={live.rows.length} lost={live.lost} isHeld={isHeld} />}
      />
    </Page>
  );
}

function Foot({ rows, lost, isHeld }: { rows: number; lost: number; isHeld: boolean }) {
  return (
    <>
      <span>
        {count(rows)} shown{rows >= KEPT ? ", the last ones" : ""}
        {isHeld ? ", held" : ""}
      </span>
      {lost > 0 && <span>{count(lost)} were left out: more came than this page takes</span>}
    </>
  );
}

function Opened({ told }: { told: LiveMessage }) {
  const [format, setFormat] = useState<Format>();
  return (
    <Stack gap="sm">
      <Facts
        facts={[
          ["Topic", <Copyable key="topic" text={told.topic ?? ""} label="topic" />],
          ["Client", <ClientLink key="client" clientid={told.clientid} />],
          ["QoS", told.qos ?? "–"],
          ...(told.content_type ? [["Content type", told.content_type] as [string, string]] : []),
        ]}
      />
      {told.size != null && (
        <Payload
          payload={shownBytes(told.payload, told.payload_encoding)}
          size={told.size}
          format={format}
          choose={setFormat}
        />
      )}
    </Stack>
  );
}
