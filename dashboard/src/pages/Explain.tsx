import {
  Button,
  Checkbox,
  Group,
  SegmentedControl,
  Select,
  Stack,
  Tabs,
  TextInput,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { answered, api, type PublishExplanation, type Receiver, sentence } from "../api/client";
import { clientPath } from "../api/clients";
import { plural } from "../lib/format";
import { useParams } from "../lib/params";
import { filterFault, topicFault } from "../lib/topics";
import { EventTable } from "../parts/EventTable";
import { Empty, FormFailure, Page, Panel } from "../parts/Page";
import { Facts, type Kind, Status } from "../parts/Words";
import details from "./ClientDetail.module.css";
import styles from "./Explain.module.css";

const RULINGS: Record<string, { kind: Kind; words: string }> = {
  allowed: { kind: "good", words: "Allowed" },
  refused: { kind: "bad", words: "Refused" },
  asked: { kind: "warn", words: "A service is asked" },
};

const FATES: Record<Receiver["fate"], { kind: Kind; words: string }> = {
  sent: { kind: "good", words: "is sent to it" },
  queued: { kind: "good", words: "waits in its queue" },
  queue_full: { kind: "bad", words: "its queue is full" },
  offline: { kind: "warn", words: "away, QoS 0 is not kept" },
  no_local: { kind: "none", words: "its own, not wanted" },
  refused: { kind: "bad", words: "the rules refuse it" },
};

/** Why something is as it is. */
export default function Explain() {
  const [params, setParams] = useParams();
  return (
    <Page title="Explain">
      <Tabs
        value={params.get("about") ?? "publish"}
        onChange={(about) => setParams({ about: about === "publish" ? "" : (about ?? "") })}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="publish">A message</Tabs.Tab>
          <Tabs.Tab value="client">A client</Tabs.Tab>
          <Tabs.Tab value="access">A permission</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="publish">
          <PublishBox />
        </Tabs.Panel>
        <Tabs.Panel value="client">
          <ClientBox first={params.get("id") ?? ""} />
        </Tabs.Panel>
        <Tabs.Panel value="access">
          <AccessBox />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Ruled({ ruling, because }: { ruling: string; because: string }) {
  const { kind, words } = RULINGS[ruling] ?? { kind: "none" as Kind, words: ruling };
  return (
    <div>
      <Status kind={kind}>{words}</Status>
      <div className="muted">{sentence(because)}</div>
    </div>
  );
}

interface BoxProps {
  form: ReactNode;
  answer: ReactNode;
}

function Box({ form, answer }: BoxProps) {
  return (
    <div className={styles.grid}>
      <Panel title="Question">{form}</Panel>
      <Panel title="Answer">{answer}</Panel>
    </div>
  );
}

const QOS = ["0", "1", "2"].map((qos) => ({ value: qos, label: `QoS ${qos}` }));

function PublishBox() {
  const form = useForm({
    initialValues: { topic: "", clientid: "", qos: "0", retain: false },
    validate: { topic: (topic) => topicFault(topic) ?? null },
  });
  const ask = useMutation({
    mutationFn: ({ topic, clientid, qos, retain }: typeof form.values) =>
      answered(
        api.POST("/api/v5/explain/publish", {
          body: { topic, qos: Number(qos), retain, client: clientid ? { clientid } : null },
        }),
      ),
  });
  return (
    <Box
      form={
        <form onSubmit={form.onSubmit((values) => ask.mutate(values))}>
          <Stack gap="sm">
            <TextInput
              label="Topic"
              placeholder="plant/line1/lamp"
              classNames={{ input: "mono" }}
              {...form.getInputProps("topic")}
            />
            <TextInput
              label="Published by"
              placeholder="By the API"
              classNames={{ input: "mono" }}
              {...form.getInputProps("clientid")}
            />
            <Group>
              <SegmentedControl
                aria-label="Quality of service"
                data={QOS}
                {...form.getInputProps("qos")}
              />
              <Checkbox label="Retain" {...form.getInputProps("retain", { type: "checkbox" })} />
            </Group>
            <FormFailure error={ask.error} />
            <Group justify="flex-end">
              <Button type="submit" loading={ask.isPending}>
                Explain
              </Button>
            </Group>
          </Stack>
        </form>
      }
      answer={
        ask.data ? (
          <PublishAnswer answer={ask.data} isOfClient={ask.variables.clientid !== ""} />
        ) : (
          <Empty icon="explain" title="Who would get a message?">
            Nothing is published. The node says who is subscribed, what would become of the message
            there, and what the rules say.
          </Empty>
        )
      }
    />
  );
}

function PublishAnswer({
  answer,
  isOfClient,
}: {
  answer: PublishExplanation;
  isOfClient: boolean;
}) {
  const { publisher, publisher_known, receivers, groups, has_more, retained } = answer;
  const facts: [string, ReactNode][] = [["Publisher", <Ruled key="publisher" {...publisher} />]];
  if (isOfClient && !publisher_known)
    facts.push([
      "",
      <span key="unknown" className="muted">
        The publisher is not there; it is taken as it was described.
      </span>,
    ]);
  if (retained) facts.push(["Retained", retained]);
  return (
    <Stack gap="md">
      <Facts facts={facts} />
      <Receivers
        title={`${plural(receivers.length, "receiver")}${has_more ? ", and more" : ""}`}
        receivers={receivers}
      />
      {groups.map((group) => (
        <Receivers
          key={group.filter}
          title={`One of ${plural(group.members.length, "member")} of ${group.filter}`}
          receivers={group.members}
        />
      ))}
    </Stack>
  );
}

function Receivers({ title, receivers }: { title: string; receivers: Receiver[] }) {
  if (receivers.length === 0) return <Status kind="warn">Nobody is subscribed to it</Status>;
  return (
    <div className={details.scroll}>
      <table className={details.table}>
        <caption className="muted" style={{ textAlign: "start", padding: "0 14px 6px" }}>
          {title}
        </caption>
        <thead>
          <tr>
            <th scope="col">Client</th>
            <th scope="col">Filters</th>
            <th scope="col">QoS</th>
            <th scope="col">The message</th>
          </tr>
        </thead>
        <tbody>
          {receivers.map((one) => (
            <tr key={`${one.tenant} ${one.clientid}`}>
              <td>
                <Link
                  className="mono"
                  to={clientPath({ clientid: one.clientid, tenant: one.tenant ?? undefined })}
                >
                  {one.clientid}
                </Link>
              </td>
              <td className="mono">{one.filters.join(", ")}</td>
              <td className="number">{one.qos}</td>
              <td>
                <Status kind={FATES[one.fate].kind}>{FATES[one.fate].words}</Status>
                {one.because && <div className="muted">{sentence(one.because)}</div>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ClientBox({ first }: { first: string }) {
  const form = useForm({
    initialValues: { clientid: first },
    validate: { clientid: (id) => (id ? null : "Say which client") },
  });
  const ask = useMutation({
    mutationFn: ({ clientid }: typeof form.values) =>
      answered(api.GET("/api/v5/explain/client/{clientid}", { params: { path: { clientid } } })),
  });
  return (
    <Box
      form={
        <form onSubmit={form.onSubmit((values) => ask.mutate(values))}>
          <Stack gap="sm">
            <TextInput
              label="Client identifier"
              classNames={{ input: "mono" }}
              {...form.getInputProps("clientid")}
            />
            <FormFailure error={ask.error} />
            <Group justify="flex-end">
              <Button type="submit" loading={ask.isPending}>
                Explain
              </Button>
            </Group>
          </Stack>
        </form>
      }
      answer={
        ask.data ? (
          <Stack gap="md">
            <p className={styles.told}>{sentence(ask.data.told)}</p>
            {ask.data.events.length > 0 && <EventTable events={ask.data.events} />}
          </Stack>
        ) : (
          <Empty icon="explain" title="Why is a client not there?">
            The node tells its last events: when it came, why it went, what was refused.
          </Empty>
        )
      }
    />
  );
}

function AccessBox() {
  const form = useForm({
    initialValues: {
      action: "publish" as "publish" | "subscribe" | "receive",
      topic: "",
      clientid: "",
      username: "",
      ip_address: "",
    },
    validate: {
      topic: (topic, { action }) =>
        (action === "subscribe" ? filterFault(topic) : topicFault(topic)) ?? null,
    },
  });
  const ask = useMutation({
    mutationFn: ({ action, topic, ...who }: typeof form.values) => {
      const client = Object.fromEntries(Object.entries(who).filter(([, value]) => value !== ""));
      return answered(
        api.POST("/api/v5/explain/access", {
          body: { action, topic, client, qos: 0, retain: false },
        }),
      );
    },
  });
  const acts = [
    { value: "publish", label: "Publish" },
    { value: "subscribe", label: "Subscribe" },
    { value: "receive", label: "Receive" },
  ];
  return (
    <Box
      form={
        <form onSubmit={form.onSubmit((values) => ask.mutate(values))}>
          <Stack gap="sm">
            <Select
              label="May it"
              allowDeselect={false}
              data={acts}
              {...form.getInputProps("action")}
            />
            <TextInput
              label="Topic or filter"
              classNames={{ input: "mono" }}
              {...form.getInputProps("topic")}
            />
            <TextInput
              label="Client identifier"
              classNames={{ input: "mono" }}
              {...form.getInputProps("clientid")}
            />
            <TextInput label="User name" {...form.getInputProps("username")} />
            <TextInput
              label="Address"
              placeholder="10.0.0.7"
              {...form.getInputProps("ip_address")}
            />
            <FormFailure error={ask.error} />
            <Group justify="flex-end">
              <Button type="submit" loading={ask.isPending}>
                Explain
              </Button>
            </Group>
          </Stack>
        </form>
      }
      answer={
        ask.data ? (
          <Ruled {...ask.data} />
        ) : (
          <Empty icon="explain" title="What do the rules say?">
            A client that is connected is taken as it is; another as it is described here.
          </Empty>
        )
      }
    />
  );
}
