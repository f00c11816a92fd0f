// Small things that stand in text: identifiers, moments, states, facts.

import { ActionIcon, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import type { ReactNode } from "react";
import { absolute, fromNow, momentOf } from "../lib/format";
import { useNow } from "../lib/now";
import { Icon } from "./Icon";
import styles from "./parts.module.css";

/** An identifier as it is, with a button that copies it. */
export function Copyable({
  text,
  label,
  children,
}: {
  text: string;
  label: string;
  children?: ReactNode;
}) {
  return (
    <span className={styles.copy}>
      <span className="mono cut" title={text}>
        {children ?? text}
      </span>
      <CopyButton text={text} label={label} />
    </span>
  );
}

/** Copies a text. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const clipboard = useClipboard({ timeout: 1500 });
  const said = clipboard.copied ? "Copied" : `Copy ${label}`;
  return (
    <Tooltip label={said}>
      <ActionIcon size="sm" aria-label={said} onClick={() => clipboard.copy(text)}>
        <Icon name={clipboard.copied ? "check" : "copy"} size={14} />
      </ActionIcon>
    </Tooltip>
  );
}

/** How long ago, with the moment itself for who points at it. */
export function Moment({ at }: { at: string | number | null | undefined }) {
  const now = useNow();
  const moment = typeof at === "number" ? at : momentOf(at);
  if (Number.isNaN(moment)) return <span className="muted">–</span>;
  return (
    <Tooltip label={absolute(moment)}>
      <time className="number" dateTime={new Date(moment).toISOString()}>
        {fromNow(moment, now)}
      </time>
    </Tooltip>
  );
}

/** Words of the node, in which names stand between backticks. */
export function Worded({ text }: { text: string }) {
  return text.split("`").map((part, index) =>
    index % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: a part is known by its place
      <span key={index} className="mono">
        {part}
      </span>
    ) : (
      part
    ),
  );
}

export type Kind = "good" | "warn" | "bad" | "none";

/** A state: by its word, and a sign of its own shape. */
export function Status({ kind, children }: { kind: Kind; children: ReactNode }) {
  return (
    <span className={styles.status}>
      <span className={styles.dot} data-kind={kind} aria-hidden="true" />
      {children}
    </span>
  );
}

/** Names and what they are. */
export function Facts({ facts }: { facts: [name: string, value: ReactNode][] }) {
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <FactRow key={name} name={name} value={value} />
      ))}
    </dl>
  );
}

function FactRow({ name, value }: { name: string; value: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}
