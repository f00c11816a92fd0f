// One topic: its last message, and a number of it over time.

import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { ApiFailure, answered, api, type LiveMessage } from "../api/client";
import { Stream } from "../api/stream";
import { count, plural, short } from "../lib/format";
import type { Format } from "../lib/payload";
import { numbersOf, Recorder } from "../lib/recorder";
import type { Level, Message } from "../lib/topics";
import { Chart, type Line } from "../parts/Chart";
import { Icon } from "../parts/Icon";
import { Empty, Panel } from "../parts/Page";
import { Payload } from "../parts/Payload";
import { Copyable, Moment } from "../parts/Words";
import { Counts } from "./Counts";
import { messageOf } from "./feed";
import styles from "./topics.module.css";

/** Bytes of a payload, and messages for the chart. */
const WHOLE = "65536";
const KEPT = 500;

/** The messages of one topic from now on, the last one at the end. */
function useMessages(topic: string): readonly Message[] {
  const [messages, setMessages] = useState<readonly Message[]>([]);
  useEffect(() => {
    // A topic with a wildcard in it cannot be, so it is a filter that matches nothing else.
    const stream = new Stream("/live/messages", { topic, payload_max: WHOLE }, ({ name, data }) => {
      if (name !== "message") return;
      const told: LiveMessage = JSON.parse(data);
      if (told.event !== "published" || told.topic !== topic) return;
      const shown = { ...told, topic, size: told.size ?? 0, qos: told.qos ?? 0 };
      const message = messageOf(shown, Date.parse(told.at), told.retain ?? false);
      setMessages((before) => [...before.slice(1 - KEPT), message]);
    });
    return () => stream.close();
  }, [topic]);
  return messages;
}

/** The retained message, whole; none where there is none. */
function useRetained(topic: string, isWanted: boolean) {
  return useQuery({
    queryKey: ["retained", topic],
    enabled: isWanted,
    queryFn: async () => {
      try {
        const params = { path: { topic } };
        const found = await answered(api.GET("/api/v5/mqtt/retainer/message/{topic}", { params }));
        return messageOf(found, undefined, true);
      } catch (error) {
        if (error instanceof ApiFailure && error.status === 404) return null;
        throw error;
      }
    },
  });
}

/** What is known of a topic. */
export function TopicDetail({ level }: { level: Level }) {
  const [format, setFormat] = useState<Format>();
  const messages = useMessages(level.path);
  const retained = useRetained(level.path, level.retained && messages.length === 0);
  const last = messages.at(-1) ?? retained.data ?? level.last;
  return (
    <Panel title="Topic" className={`${styles.tree} ${styles.detailPanel}`}>
      <Copyable text={level.path} label="topic" />
      <div className={styles.notes}>
        <span>
          {plural(level.messages, "message")}
          {level.total > level.messages && `, ${count(level.total - level.messages)} below`}
        </span>
        <span>{short(level.rate)}/s</span>
        {level.retained && <RetainedMark />}
        {last && <Notes message={last} />}
        <Counts topic={level.path} />
      </div>
      {last ? (
        <>
          <Payload payload={last.payload} size={last.size} format={format} choose={setFormat} />
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

/** That a topic has a retained message. */
export function RetainedMark() {
  return (
    <span className={styles.retained}>
      <Icon name="retained" size={10} /> retained
    </span>
  );
}

function Notes({ message }: { message: Message }): ReactNode {
  return (
    <>
      <span>QoS {message.qos}</span>
      {message.contentType && <span className="mono">{message.contentType}</span>}
      {message.at !== undefined && <Moment at={message.at} />}
    </>
  );
}

interface PlotProps {
  topic: string;
  messages: readonly Message[];
  last: Message;
  format: Format | undefined;
}

/** A number of the payload over time, from when the topic was chosen. */
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
