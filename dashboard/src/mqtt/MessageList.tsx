// Messages as they came, the newest on top. Only the rows that can be seen are there.

import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useRef } from "react";
import { preview } from "../lib/payload";
import type { Message } from "../lib/topics";
import styles from "./mqtt.module.css";

const ROW = 32;

interface MessageListProps {
  messages: readonly Message[];
  chosen: Message | undefined;
  choose: (message: Message) => void;
}

/** The list; arrow keys go through it. */
export function MessageList({ messages, chosen, choose }: MessageListProps) {
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: messages.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  const newest = (index: number) => messages[messages.length - 1 - index];
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = chosen
      ? messages.length - 1 - messages.findIndex((one) => one.number === chosen.number)
      : -1;
    const next = newest(Math.max(0, Math.min(at + step, messages.length - 1)));
    if (next) choose(next);
  };
  return (
    <div
      ref={scroll}
      className={styles.scroll}
      role="listbox"
      aria-label="Messages, the newest first"
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <div className={styles.rows} role="presentation" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const message = newest(item.index);
          return message ? (
            <Row
              key={message.number}
              message={message}
              index={item.index}
              isChosen={message.number === chosen?.number}
              choose={choose}
            />
          ) : null;
        })}
      </div>
    </div>
  );
}

interface RowProps {
  message: Message;
  index: number;
  isChosen: boolean;
  choose: (message: Message) => void;
}

function Row({ message, index, isChosen, choose }: RowProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list around has the keys
    <div
      role="option"
      aria-selected={isChosen}
      className={styles.message}
      style={{ transform: `translateY(${index * ROW}px)` }}
      onClick={() => choose(message)}
    >
      <span className="muted number">{new Date(message.at ?? 0).toLocaleTimeString("sv-SE")}</span>
      <span className="mono cut" title={message.topic}>
        {message.topic}
      </span>
      <span className="mono cut muted">{preview(message.payload)}</span>
      <span className="muted number">
        Q{message.qos}
        {message.retain ? " R" : ""}
      </span>
    </div>
  );
}
