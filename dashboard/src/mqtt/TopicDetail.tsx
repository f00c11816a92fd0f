// One topic: its last message, and a number of it over time.

import { Select } from "@mantine/core";
import { useMemo, useState } from "react";
import { count, plural, short } from "../lib/format";
import type { Format } from "../lib/payload";
import { numbersOf, Recorder } from "../lib/recorder";
import type { Level, Message } from "../lib/topics";
import { Chart, type Line } from "../parts/Chart";
import { Icon } from "../parts/Icon";
import { Empty, Panel } from "../parts/Page";
import { Copyable, Moment } from "../parts/Words";
import styles from "./mqtt.module.css";
import { Payload } from "./Payload";

/** What is known of a topic. */
export function TopicDetail({ level, messages }: { level: Level; messages: readonly Message[] }) {
  const [format, setFormat] = useState<Format>();
  const { last } = level;
  return (
    <Panel title="Topic" className={`${styles.tree} ${styles.detailPanel}`}>
      <Copyable text={level.path} label="topic" />
      <div className={styles.notes}>
        <span>
          {plural(level.messages, "message")}
          {level.total > level.messages && `, ${count(level.total - level.messages)} below`}
        </span>
        <span>{short(level.rate)}/s</span>
        {level.retained && (
          <span className={styles.retained}>
            <Icon name="retained" size={10} /> retained
          </span>
        )}
        {last && <Notes message={last} />}
      </div>
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

function Notes({ message }: { message: Message }) {
  return (
    <>
      <span>QoS {message.qos}</span>
      {message.contentType && <span className="mono">{message.contentType}</span>}
      <Moment at={message.at} />
    </>
  );
}

/** What else a message says of itself. */
export function factsOf(message: Message): [string, React.ReactNode][] {
  const facts: [string, React.ReactNode][] = [
    ["Came", <Moment key="came" at={message.at} />],
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

/** A number of the payload over time. It goes on while the topic is looked at. */
function Plot({ topic, messages, last, format }: PlotProps) {
  const fields = useMemo(() => [...numbersOf(last, format).keys()], [last, format]);
  const [chosen, setChosen] = useState<string | null>(null);
  const field = chosen ?? fields[0];
  const recorder = useMemo(() => new Recorder(topic, field ?? "", format), [topic, field, format]);
  const data = useMemo(() => recorder.take(messages), [recorder, messages]);
  if (field === undefined) return null;
  const lines: Line[] = [{ label: field, colour: 1 }];
  return (
    <div style={{ marginTop: 14 }}>
      <Chart
        title="Over time"
        label={`${field} of ${topic}`}
        lines={lines}
        data={data}
        format={plain}
        height={160}
        isFromZero={false}
      />
      <Select
        aria-label="Field to draw"
        mt={8}
        allowDeselect={false}
        data={fields}
        value={field}
        onChange={setChosen}
        maw={260}
        classNames={{ input: "mono" }}
      />
    </div>
  );
}

function plain(value: number): string {
  return Number.isFinite(value) ? Number(value.toPrecision(6)).toLocaleString("en") : "–";
}
