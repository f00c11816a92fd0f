import { ActionIcon, Button, Group, SegmentedControl, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { count } from "../lib/format";
import type { Format } from "../lib/payload";
import { useStore } from "../lib/store";
import { filterFault, type Message } from "../lib/topics";
import { ConnectionBar } from "../mqtt/ConnectionBar";
import * as connection from "../mqtt/connection";
import { MessageList } from "../mqtt/MessageList";
import styles from "../mqtt/mqtt.module.css";
import { complain, tell } from "../parts/confirm";
import { Icon } from "../parts/Icon";
import {
  bytesOf,
  FIRST_MESSAGE,
  MESSAGE_CHECKS,
  MessageFields,
  type MessageValues,
} from "../parts/MessageFields";
import { Empty, FormFailure, Page, Panel } from "../parts/Page";
import { Payload } from "../parts/Payload";
import { Copyable, Facts, Moment } from "../parts/Words";

const qosOf = (text: string): 0 | 1 | 2 => (text === "2" ? 2 : text === "1" ? 1 : 0);

/** The page as an MQTT client: it subscribes and publishes as any other, within the same rules. */
export default function MqttClient() {
  const isOn = useStore(connection.state).kind === "on";
  return (
    <Page title="MQTT client" isFilling>
      <ConnectionBar />
      <div className={styles.client}>
        <div className={styles.column}>
          <Panel title="Subscribe">
            <Subscribe isOn={isOn} />
          </Panel>
          <Panel title="Publish">
            <Publish isOn={isOn} />
          </Panel>
        </div>
        <Received />
      </div>
    </Page>
  );
}

function Subscribe({ isOn }: { isOn: boolean }) {
  const wanted = useStore(connection.wanted);
  const form = useForm({
    initialValues: { filter: "", qos: "0" },
    validate: { filter: (filter) => filterFault(filter) ?? null },
  });
  const subscribe = useMutation({
    mutationFn: ({ filter, qos }: typeof form.values) =>
      connection.subscribe({ filter, qos: qosOf(qos) }),
    onSuccess: () => form.reset(),
  });
  return (
    <form onSubmit={form.onSubmit((values) => subscribe.mutate(values))}>
      <Stack gap="sm">
        <TextInput
          label="Topic filter"
          placeholder="plant/+/temperature"
          classNames={{ input: "mono" }}
          {...form.getInputProps("filter")}
        />
        <Group justify="space-between">
          <SegmentedControl
            aria-label="Quality of service"
            data={["0", "1", "2"].map((qos) => ({ value: qos, label: `QoS ${qos}` }))}
            {...form.getInputProps("qos")}
          />
          <Button type="submit" disabled={!isOn} loading={subscribe.isPending}>
            Subscribe
          </Button>
        </Group>
        <FormFailure error={subscribe.error} />
        {wanted.length > 0 && (
          <ul className={styles.list}>
            {wanted.map((one) => (
              <li key={one.filter}>
                <span className="mono cut">{one.filter}</span>
                <span className="muted">QoS {one.qos}</span>
                <ActionIcon
                  size="sm"
                  aria-label={`Unsubscribe from ${one.filter}`}
                  onClick={() => connection.unsubscribe(one.filter)}
                >
                  <Icon name="close" size={12} />
                </ActionIcon>
              </li>
            ))}
          </ul>
        )}
      </Stack>
    </form>
  );
}

function Publish({ isOn }: { isOn: boolean }) {
  const form = useForm<MessageValues>({ initialValues: FIRST_MESSAGE, validate: MESSAGE_CHECKS });
  const publish = useMutation({
    mutationFn: ({ topic, payload, typed, qos, retain }: MessageValues) =>
      connection.publish(topic, bytesOf(payload, typed), qosOf(qos), retain),
    onSuccess: (_, { topic }) => tell(`Published to ${topic}.`),
    onError: complain,
  });
  return (
    <form onSubmit={form.onSubmit((values) => publish.mutate(values))}>
      <Stack gap="sm">
        <MessageFields form={form} rows={4} />
        <Group justify="flex-end">
          <Button
            type="submit"
            disabled={!isOn}
            loading={publish.isPending}
            leftSection={<Icon name="publish" />}
          >
            Publish
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Received() {
  const messages = useStore(connection.messages);
  const received = useStore(connection.received);
  const [held, setHeld] = useState<readonly Message[]>();
  const [chosen, setChosen] = useState<Message>();
  const shown = held ?? messages;
  return (
    <Panel
      title="Messages"
      isPadded={false}
      className={styles.messages}
      aside={
        <>
          <span className="muted number">
            {count(received)} received
            {received > shown.length ? `, the last ${count(shown.length)} shown` : ""}
          </span>
          <Group gap={4} ml="auto">
            <Button
              variant="default"
              size="compact-xs"
              onClick={() => setHeld(held ? undefined : messages)}
              leftSection={<Icon name={held ? "play" : "pause"} size={12} />}
            >
              {held ? "Go on" : "Hold"}
            </Button>
            <Button variant="default" size="compact-xs" onClick={connection.clear}>
              Clear
            </Button>
          </Group>
        </>
      }
    >
      {shown.length === 0 ? (
        <Empty icon="socket" title="No message yet">
          Connect, and subscribe to a topic filter. # is everything that the rules allow.
        </Empty>
      ) : (
        <MessageList messages={shown} chosen={chosen} choose={setChosen} />
      )}
      {chosen && <Detail message={chosen} close={() => setChosen(undefined)} />}
    </Panel>
  );
}

function Detail({ message, close }: { message: Message; close: () => void }) {
  const [format, setFormat] = useState<Format>();
  return (
    <section className={styles.detail} aria-label="Message">
      <Group justify="flex-end" mb={-22}>
        <ActionIcon aria-label="Close the message" onClick={close}>
          <Icon name="close" size={14} />
        </ActionIcon>
      </Group>
      <Facts
        facts={[
          ["Topic", <Copyable key="topic" text={message.topic} label="topic" />],
          ...factsOf(message),
        ]}
      />
      <div style={{ height: 10 }} />
      <Payload payload={message.payload} format={format} choose={setFormat} />
    </section>
  );
}

/** What else a message says of itself. */
function factsOf(message: Message): [string, ReactNode][] {
  const facts: [string, ReactNode][] = [
    ["Came", <Moment key="came" at={message.at} />],
    ["QoS", message.qos],
  ];
  if (message.contentType) facts.push(["Content type", message.contentType]);
  if (message.responseTopic) {
    facts.push([
      "Response topic",
      <Copyable key="to" text={message.responseTopic} label="response topic" />,
    ]);
  }
  for (const [name, value] of message.userProperties ?? []) facts.push([`Property ${name}`, value]);
  return facts;
}
