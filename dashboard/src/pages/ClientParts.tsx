// Parts of the page of a client: its subscriptions, what waits for it, and what has happened to it.

import { ActionIcon, Button, Group, SegmentedControl, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answered, api, type ClientMessage, type Subscription, sentence } from "../api/client";
import type { Who } from "../api/clients";
import { mayChange, session } from "../api/session";
import { bytes, count } from "../lib/format";
import { preview, shownBytes } from "../lib/payload";
import { useStore } from "../lib/store";
import { optionsOf } from "../lib/subscriptions";
import { filterFault } from "../lib/topics";
import { complain, confirm } from "../parts/confirm";
import { EventTable } from "../parts/EventTable";
import { Icon } from "../parts/Icon";
import { Empty, Failed, Panel } from "../parts/Page";
import { Copyable, Moment } from "../parts/Words";
import styles from "./ClientDetail.module.css";

const REFRESH = 5000;
const SHOWN = 100;
const GLANCE = 160;

const paramsOf = ({ clientid, tenant }: Who) => ({
  path: { clientid },
  query: tenant ? { tenant } : {},
});

/** What a client is subscribed to; an administrator subscribes and unsubscribes for it. */
export function ClientSubscriptions({ who }: { who: Who }) {
  const key = ["client-subscriptions", who];
  const queries = useQueryClient();
  const may = mayChange(useStore(session)?.role ?? "viewer");
  const found = useQuery({
    queryKey: key,
    queryFn: () =>
      answered(api.GET("/api/v5/clients/{clientid}/subscriptions", { params: paramsOf(who) })),
    refetchInterval: REFRESH,
  });
  const rows = found.data ?? [];
  const remove = ({ topic }: Subscription) =>
    confirm({
      title: "Take this subscription back?",
      body: `The client gets no more messages by ${topic}, and is not told.`,
      act: "Take back",
      done: "The subscription is gone.",
      run: async () => {
        await answered(
          api.POST("/api/v5/clients/{clientid}/unsubscribe", {
            params: paramsOf(who),
            body: { topic },
          }),
        );
        await queries.invalidateQueries({ queryKey: key });
      },
    });
  return (
    <Panel
      title="Subscriptions"
      aside={<span className="muted number">{count(rows.length)}</span>}
      isPadded={false}
      className={styles.wide}
    >
      {found.isError && !found.data && <Failed error={found.error} retry={() => found.refetch()} />}
      {found.isSuccess && rows.length === 0 && (
        <Empty icon="subscriptions" title="It is subscribed to nothing" />
      )}
      {rows.length > 0 && <SubscriptionRows rows={rows} remove={may ? remove : undefined} />}
      {may && <SubscribeFor who={who} done={() => queries.invalidateQueries({ queryKey: key })} />}
    </Panel>
  );
}

interface SubscriptionRowsProps {
  rows: Subscription[];
  remove: ((row: Subscription) => void) | undefined;
}

function SubscriptionRows({ rows, remove }: SubscriptionRowsProps) {
  return (
    <div className={styles.scroll}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Topic filter</th>
            <th scope="col">QoS</th>
            <th scope="col">Options</th>
            {remove && <th scope="col" aria-label="What can be done" />}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.topic}>
              <td>
                <Copyable text={row.topic} label="topic filter" />
              </td>
              <td className="number">{row.qos}</td>
              <td>{optionsOf(row) || <span className="muted">–</span>}</td>
              {remove && (
                <td className={styles.end}>
                  <ActionIcon
                    size="sm"
                    aria-label={`Take ${row.topic} back`}
                    onClick={() => remove(row)}
                  >
                    <Icon name="trash" size={14} />
                  </ActionIcon>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SubscribeFor({ who, done }: { who: Who; done: () => void }) {
  const form = useForm({
    initialValues: { topic: "", qos: "0" },
    validate: { topic: (topic) => filterFault(topic) ?? null },
  });
  const subscribe = useMutation({
    mutationFn: ({ topic, qos }: typeof form.values) =>
      answered(
        api.POST("/api/v5/clients/{clientid}/subscribe", {
          params: paramsOf(who),
          body: { topic, qos: Number(qos), nl: 0, rap: 0, rh: 0 },
        }),
      ),
    onSuccess: () => {
      form.reset();
      done();
    },
    onError: complain,
  });
  return (
    <form
      className={styles.act}
      onSubmit={form.onSubmit((values) => subscribe.mutate(values))}
      aria-label="Subscribe for the client"
    >
      <Group gap="xs" align="flex-start">
        <TextInput
          aria-label="Topic filter"
          placeholder="Subscribe for it: plant/#"
          w={240}
          classNames={{ input: "mono" }}
          {...form.getInputProps("topic")}
        />
        <SegmentedControl
          aria-label="Quality of service"
          data={["0", "1", "2"].map((qos) => ({ value: qos, label: `QoS ${qos}` }))}
          {...form.getInputProps("qos")}
        />
        <Button type="submit" variant="default" loading={subscribe.isPending}>
          Subscribe
        </Button>
      </Group>
    </form>
  );
}

/** The messages that wait for a client, and those that are under way. */
export function Waiters({ who }: { who: Who }) {
  const [view, setView] = useState<"mqueue" | "inflight">("mqueue");
  const { path, query } = paramsOf(who);
  const params = { path, query: { ...query, limit: SHOWN, payload_max: GLANCE } };
  const found = useQuery({
    queryKey: ["client-messages", who, view],
    queryFn: () =>
      view === "mqueue"
        ? answered(api.GET("/api/v5/clients/{clientid}/mqueue_messages", { params }))
        : answered(api.GET("/api/v5/clients/{clientid}/inflight_messages", { params })),
    refetchInterval: REFRESH,
  });
  const rows = found.data?.data ?? [];
  return (
    <Panel
      title="Its messages"
      isPadded={false}
      className={styles.wide}
      aside={
        <SegmentedControl
          aria-label="Which messages"
          ml="auto"
          value={view}
          onChange={(chosen) => setView(chosen === "inflight" ? "inflight" : "mqueue")}
          data={[
            { value: "mqueue", label: "In the queue" },
            { value: "inflight", label: "Inflight" },
          ]}
        />
      }
    >
      {found.isError && !found.data && <Failed error={found.error} retry={() => found.refetch()} />}
      {found.isSuccess && rows.length === 0 && (
        <Empty
          icon="check"
          title={view === "mqueue" ? "Nothing waits for it" : "Nothing is under way to it"}
        />
      )}
      {rows.length > 0 && <MessageRows rows={rows} hasMore={found.data?.meta.hasnext ?? false} />}
    </Panel>
  );
}

function MessageRows({ rows, hasMore }: { rows: ClientMessage[]; hasMore: boolean }) {
  return (
    <div
      className={`${styles.scroll} ${styles.bounded}`}
      tabIndex={0}
      role="region"
      aria-label="Messages"
    >
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Topic</th>
            <th scope="col">Payload</th>
            <th scope="col">QoS</th>
            <th scope="col">Size</th>
            <th scope="col">Waits since</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.msgid} ${row.packet_id ?? ""}`}>
              <td className="mono">{row.topic ?? <span className="muted">on disk</span>}</td>
              <td className="mono muted">
                {row.payload == null
                  ? "–"
                  : preview(shownBytes(row.payload, row.payload_encoding), 80)}
              </td>
              <td className="number">{row.qos}</td>
              <td className="number">{bytes(row.size)}</td>
              <td>
                <Moment at={row.inserted_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {hasMore && <div className={styles.act}>The first {count(rows.length)} are shown.</div>}
    </div>
  );
}

/** What has happened to a client. */
export function History({ who }: { who: Who }) {
  const story = useQuery({
    queryKey: ["client-story", who],
    queryFn: () =>
      answered(api.GET("/api/v5/explain/client/{clientid}", { params: paramsOf(who) })),
    refetchInterval: REFRESH,
  });
  const events = story.data?.events ?? [];
  return (
    <Panel title="History" isPadded={false} className={styles.wide}>
      {story.isError && !story.data && <Failed error={story.error} retry={() => story.refetch()} />}
      {story.data && <div className={styles.act}>{sentence(story.data.told)}</div>}
      {events.length > 0 && <EventTable events={events} />}
    </Panel>
  );
}
