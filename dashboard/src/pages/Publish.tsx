import { Button, Collapse, Group, NumberInput, Stack, Textarea, TextInput } from "@mantine/core";
import { type UseFormReturnType, useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { answered, api, messageOf, type Publication } from "../api/client";
import { toBase64 } from "../lib/payload";
import { Icon } from "../parts/Icon";
import {
  bytesOf,
  FIRST_MESSAGE,
  MESSAGE_CHECKS,
  MessageFields,
  type MessageValues,
} from "../parts/MessageFields";
import { Empty, Page, Panel } from "../parts/Page";
import { type Kind, Moment, Status } from "../parts/Words";
import styles from "./Publish.module.css";

interface Values extends MessageValues {
  contentType: string;
  responseTopic: string;
  correlation: string;
  expiry: number | string;
  properties: string;
}

interface Result {
  number: number;
  at: number;
  topic: string;
  kind: Kind;
  words: string;
}

/** What is remembered of what was published. */
const RESULTS = 50;
const MARK = "=";

/** Publishes by the API, in the name of the user. */
export default function Publish() {
  const [results, setResults] = useState<Result[]>([]);
  const add = (result: Omit<Result, "number" | "at">) =>
    setResults((before) => {
      const number = (before[0]?.number ?? 0) + 1;
      return [{ ...result, number, at: Date.now() }, ...before].slice(0, RESULTS);
    });
  return (
    <Page title="Publish">
      <div className={styles.grid}>
        <Panel title="Message">
          <Form add={add} />
        </Panel>
        <Panel title="What became of it" isPadded={false}>
          {results.length === 0 ? (
            <Empty icon="publish" title="Nothing was published yet">
              The node says of each message whether somebody got it, or why nobody did.
            </Empty>
          ) : (
            <ul className={styles.results} aria-live="polite">
              {results.map((result) => (
                <ResultRow key={result.number} result={result} />
              ))}
            </ul>
          )}
        </Panel>
      </div>
    </Page>
  );
}

function ResultRow({ result }: { result: Result }) {
  return (
    <li>
      <div className={styles.line}>
        <span className="mono cut" title={result.topic}>
          {result.topic}
        </span>
        <Moment at={result.at} />
      </div>
      <Status kind={result.kind}>{result.words}</Status>
    </li>
  );
}

function publicationOf(values: Values): Publication {
  const known = Object.entries({
    content_type: values.contentType,
    response_topic: values.responseTopic,
    correlation_data: values.correlation,
    message_expiry_interval: values.expiry,
  }).filter(([, value]) => value !== "");
  const pairs = pairsOf(values.properties);
  const hasProperties = known.length + pairs.length > 0;
  const properties = { ...Object.fromEntries(known), user_properties: Object.fromEntries(pairs) };
  return {
    topic: values.topic,
    payload: toBase64(bytesOf(values.payload, values.typed)),
    payload_encoding: "base64",
    qos: Number(values.qos),
    retain: values.retain,
    properties: hasProperties ? properties : null,
  };
}

function pairsOf(text: string): [string, string][] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => {
    const at = line.indexOf(MARK);
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
}

const pairsFault = (text: string) =>
  text.split("\n").every((line) => line.trim() === "" || line.indexOf(MARK) > 0)
    ? null
    : "One name=value on each line";

function Form({ add }: { add: (result: Omit<Result, "number" | "at">) => void }) {
  const [isOpen, more] = useDisclosure();
  const form = useForm<Values>({
    initialValues: {
      ...FIRST_MESSAGE,
      contentType: "",
      responseTopic: "",
      correlation: "",
      expiry: "",
      properties: "",
    },
    validate: { ...MESSAGE_CHECKS, properties: pairsFault },
  });
  const publish = useMutation({
    mutationFn: (values: Values) =>
      answered(api.POST("/api/v5/publish", { body: publicationOf(values) })),
    onSuccess: ({ message, reason_code }, { topic }) => {
      const isTaken = (reason_code ?? 0) === 0;
      const words = isTaken ? "Somebody got it" : (message ?? `Reason code ${reason_code}`);
      add({ topic, kind: isTaken ? "good" : "warn", words });
    },
    onError: (error, { topic }) => add({ topic, kind: "bad", words: messageOf(error) }),
  });
  return (
    <form onSubmit={form.onSubmit((values) => publish.mutate(values))}>
      <Stack gap="sm">
        <MessageFields form={form} rows={7} />
        <Collapse expanded={isOpen}>
          <Properties form={form} />
        </Collapse>
        <Group justify="space-between">
          <Button
            variant="subtle"
            onClick={more.toggle}
            aria-expanded={isOpen}
            rightSection={<Icon name={isOpen ? "up" : "down"} size={12} />}
          >
            Properties of MQTT 5.0
          </Button>
          <Button type="submit" loading={publish.isPending} leftSection={<Icon name="publish" />}>
            Publish
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Properties({ form }: { form: UseFormReturnType<Values> }) {
  return (
    <div className={styles.pairs}>
      <TextInput
        label="Content type"
        placeholder="application/json"
        {...form.getInputProps("contentType")}
      />
      <NumberInput
        label="Expires after (seconds)"
        min={0}
        max={4_294_967_295}
        allowDecimal={false}
        hideControls
        {...form.getInputProps("expiry")}
      />
      <TextInput label="Response topic" {...form.getInputProps("responseTopic")} />
      <TextInput label="Correlation data" {...form.getInputProps("correlation")} />
      <Textarea
        className={styles.wide}
        label="User properties"
        placeholder="name=value, one a line"
        autosize
        minRows={2}
        maxRows={8}
        {...form.getInputProps("properties")}
      />
    </div>
  );
}
