import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Link, useNavigate } from "react-router";
import { ApiFailure, type Client } from "../api/client";
import { getClient, kick, type Who } from "../api/clients";
import { PULSE } from "../api/live";
import { mayChange, session } from "../api/session";
import { bytes, count, lasting, plural, protocol, short } from "../lib/format";
import { useParams } from "../lib/params";
import { Series } from "../lib/series";
import { useStore } from "../lib/store";
import { BanForm } from "../parts/BanForm";
import { Chart, type Line } from "../parts/Chart";
import { confirm } from "../parts/confirm";
import { Icon } from "../parts/Icon";
import { Empty, Failed, Page, Panel, Waiting } from "../parts/Page";
import { Copyable, CopyButton, Facts, Moment } from "../parts/Words";
import styles from "./ClientDetail.module.css";
import { ClientSubscriptions, History, Waiters } from "./ClientParts";
import { ClientState } from "./Clients";

const LINES: Line[] = [
  { label: "Waiting", colour: 1 },
  { label: "Inflight", colour: 2, dash: [6, 3] },
];
const KEPT = 900;

/** One client: its connection, its session, and what waits for it. */
export default function ClientDetail() {
  const [params] = useParams();
  const who: Who = { clientid: params.get("id") ?? "", tenant: params.get("tenant") ?? undefined };
  return <Detail key={`${who.tenant} ${who.clientid}`} who={who} />;
}

function Detail({ who }: { who: Who }) {
  const [series] = useState(() => new Series(["waiting", "inflight"], KEPT));
  const client = useQuery({
    queryKey: ["client", who],
    queryFn: async () => {
      const found = await getClient(who);
      series.push(Date.now(), [found.mqueue_len, found.inflight_cnt]);
      return found;
    },
    refetchInterval: PULSE,
  });
  const isGone = client.error instanceof ApiFailure && client.error.status === 404;
  if (isGone) return <Gone who={who} />;
  if (client.isError && !client.data)
    return <Failed error={client.error} retry={() => client.refetch()} />;
  if (!client.data) return <Waiting label="Looking for the client" />;
  return (
    <Page
      title={who.clientid}
      lead={
        <>
          <CopyButton text={who.clientid} label="client identifier" />{" "}
          <ClientState client={client.data} />
        </>
      }
      acts={<Acts who={who} />}
    >
      <div className={styles.grid}>
        <Connection client={client.data} />
        <SessionPanel client={client.data} />
        <Chart
          className={styles.wide}
          title="Messages that wait"
          label="Messages that wait for the client"
          lines={LINES}
          data={series.data(["waiting", "inflight"])}
          format={short}
          height={150}
        />
        <ClientSubscriptions who={who} />
        <Waiters who={who} />
        <History who={who} />
        <Attributes attributes={client.data.client_attrs} />
      </div>
    </Page>
  );
}

function Gone({ who }: { who: Who }) {
  return (
    <Page title={who.clientid || "No client"}>
      <Empty icon="clients" title="There is no such client">
        It is not connected, and no session waits for it. <Link to="/clients">All clients</Link>
      </Empty>
    </Page>
  );
}

function Acts({ who }: { who: Who }) {
  const navigate = useNavigate();
  const [isBanning, banning] = useDisclosure();
  const may = mayChange(useStore(session)?.role ?? "viewer");
  const live = `/live?${new URLSearchParams({ client: who.clientid })}`;
  const ask = () =>
    confirm({
      title: "Disconnect this client?",
      body: (
        <>
          <b className="mono">{who.clientid}</b> is disconnected, and its session ends with all that
          waits in it. It may connect again at once.
        </>
      ),
      act: "Disconnect",
      done: `Disconnected ${who.clientid}.`,
      run: async () => {
        await kick([who]);
        navigate("/clients");
      },
    });
  return (
    <>
      <Button variant="default" component={Link} to={live} leftSection={<Icon name="live" />}>
        Watch
      </Button>
      {may && (
        <>
          <Button variant="default" leftSection={<Icon name="bans" />} onClick={banning.open}>
            Ban
          </Button>
          <Button variant="default" leftSection={<Icon name="away" />} onClick={ask}>
            Disconnect
          </Button>
          <BanForm
            isOpen={isBanning}
            close={banning.close}
            who={{ as: "clientid", who: who.clientid, tenant: who.tenant }}
          />
        </>
      )}
    </>
  );
}

const or = (value: ReactNode) => value ?? <span className="muted">–</span>;

function Connection({ client }: { client: Client }) {
  const facts: [string, ReactNode][] = [
    ["User", or(client.username)],
    [
      "Address",
      client.ip_address ? (
        <Copyable key="address" text={client.ip_address} label="address" />
      ) : (
        or(undefined)
      ),
    ],
    [
      "Listener",
      <span className="mono" key="listener">
        {client.listener}
      </span>,
    ],
    ["Protocol", `${client.proto_name} ${protocol(client.proto_ver)}`],
    ["Keep alive", client.keepalive === 0 ? "none" : lasting(client.keepalive)],
    ["Connected", <Moment key="connected" at={client.connected_at} />],
  ];
  if (!client.connected)
    facts.push(["Went away", <Moment key="gone" at={client.disconnected_at} />]);
  if (client.tenant) facts.push(["Tenant", client.tenant]);
  return (
    <Panel title="Connection">
      <Facts facts={facts} />
    </Panel>
  );
}

function SessionPanel({ client }: { client: Client }) {
  return (
    <Panel title="Session">
      <Facts
        facts={[
          [
            "Waits for it",
            client.expiry_interval === 0
              ? "ends with the connection"
              : lasting(client.expiry_interval),
          ],
          ["Kept on disk", client.durable ? "yes" : "no"],
          ["Clean start", client.clean_start ? "yes" : "no"],
          [
            "Queue",
            <Meter
              key="queue"
              value={client.mqueue_len}
              of={client.mqueue_max}
              note={bytes(client.mqueue_bytes)}
            />,
          ],
          [
            "Inflight",
            <Meter key="inflight" value={client.inflight_cnt} of={client.inflight_max} />,
          ],
          [
            "Subscriptions",
            <Meter
              key="subscriptions"
              value={client.subscriptions_cnt}
              of={client.subscriptions_max}
            />,
          ],
          ["Awaiting PUBREL", count(client.awaiting_rel_cnt)],
        ]}
      />
    </Panel>
  );
}

function Meter({ value, of, note }: { value: number; of: number; note?: string }) {
  const part = of > 0 ? Math.min(1, value / of) : 0;
  return (
    <div className={styles.meter}>
      <span className="number">
        {count(value)}
        {of > 0 && ` of ${short(of)}`}
        {note && value > 0 ? `, ${note}` : ""}
      </span>
      {of > 0 && (
        <div className={styles.track} aria-hidden="true">
          <div className={styles.fill} data-full={part > 0.9} style={{ width: `${part * 100}%` }} />
        </div>
      )}
    </div>
  );
}

function Attributes({ attributes }: { attributes: Record<string, string> }) {
  const known = Object.entries(attributes);
  if (known.length === 0) return null;
  return (
    <Panel
      title="Attributes"
      aside={<span className="muted">{plural(known.length, "attribute")}</span>}
      className={styles.wide}
    >
      <Facts
        facts={known.map(([name, value]) => [
          name,
          <Copyable key={name} text={value} label={name} />,
        ])}
      />
    </Panel>
  );
}
