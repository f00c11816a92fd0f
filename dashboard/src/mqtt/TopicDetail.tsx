// One topic: its last message, and a number of it over time.

import { Select } from "@mantine/core";
import { useEffect, useMemo, useState } from "react";
import { count, short } from "../lib/format";
import { detect, type Format, numbers, read } from "../lib/payload";
import { Series } from "../lib/series";
import type { Level, Message } from "../lib/topics";
import { Chart, type Line } from "../parts/Chart";
import { Empty, Panel } from "../parts/Page";
import { Copyable, Facts, Moment } from "../parts/Words";
import styles from "./mqtt.module.css";
import { Payload } from "./Payload";

const KEPT = 2000;

/** What is known of a topic. */
export function TopicDetail({ level, messages }: { level: Level; messages: readonly Message[] }) {
  const [format, setFormat] = useState<Format>();
  const { last } = level;
  return (
    <Panel title="Topic" className={styles.tree}>
      <Facts
        facts={[
          ["Name", <Copyable key="name" text={level.path} label="topic" />],
          [
            "Messages",
            `${count(level.messages)} here, ${count(level.total - level.messages)} below, ${short(level.rate)}/s`,
          ],
          ...(last ? factsOf(last) : []),
          ["Retained", level.retained ? "yes" : "not seen"],
        ]}
      />
      <div style={{ height: 14 }} />
      {last ? (
        <>
          <Payload payload={last.payload} format={format} choose={setFormat} />
          <Plot
            key={level.path}
            topic={level.path}
            messages={messages}
            last={last}
            format={format}
          />
        </>
      ) : (
        <Empty icon="topics" title="No message of its own">
          Messages came to topics below it.
        </Empty>
      )}
    </Panel>
  );
}

/** What else a message says of itself. */
export function factsOf(message: Message): [string, React.ReactNode][] {
  const facts: [string, React.ReactNode][] = [
    ["Last", <Moment key="last" at={message.at} />],
    ["QoS", message.qos],
  ];
  if (message.contentType)
    facts.push([
      "Content type",
      <span key="type" className="mono">
        {message.contentType}
      </span>,
    ]);
  if (message.responseTopic)
    facts.push([
      "Response topic",
      <Copyable key="to" text={message.responseTopic} label="response topic" />,
    ]);
  const pairs = message.userProperties ?? [];
  if (pairs.length > 0) {
    facts.push([
      "User properties",
      <span key="pairs" className="mono">
        {pairs.map(([name, value]) => `${name}=${value}`).join(", ")}
      </span>,
    ]);
  }
  return facts;
}

interface PlotProps {
  topic: string;
  messages: readonly Message[];
  last: Message;
  format: Format | undefined;
}

function numbersOf(message: Message, format: Format | undefined): Map<string, number> {
  return numbers(read(message.payload, format ?? detect(message.payload))?.value);
}

/** A number of the payload over time. It goes on while the topic is looked at. */
function Plot({ topic, messages, last, format }: PlotProps) {
  const fields = useMemo(() => [...numbersOf(last, format).keys()], [last, format]);
  const [chosen, setChosen] = useState<string | null>(null);
  const field = chosen ?? fields[0];
  const [drawn, setDrawn] = useState<{ field: string | undefined; series: Series; upto: number }>();
  useEffect(() => {
    setDrawn((before) => {
      const isSame = before?.field === field;
      const series = isSame && before ? before.series : new Series(["value"], KEPT);
      let upto = isSame && before ? before.upto : 0;
      for (const message of messages) {
        if (message.number <= upto || message.topic !== topic) continue;
        const value = field === undefined ? undefined : numbersOf(message, format).get(field);
        if (value !== undefined) series.push(message.at, [value]);
        upto = message.number;
      }
      return { field, series, upto };
    });
  }, [messages, field, format, topic]);
  if (field === undefined || !drawn) return null;
  const lines: Line[] = [{ label: field, colour: 1 }];
  return (
    <div style={{ marginTop: 14 }}>
      <Select
        label="Over time"
        allowDeselect={false}
        data={fields}
        value={field}
        onChange={setChosen}
        maw={260}
        classNames={{ input: "mono" }}
      />
      <Chart
        label={`${field} of ${topic}`}
        lines={lines}
        data={drawn.series.data(["value"])}
        format={plain}
        height={180}
        isFromZero={false}
      />
    </div>
  );
}

function plain(value: number): string {
  return Number.isFinite(value) ? Number(value.toPrecision(6)).toLocaleString("en") : "–";
}
