import { Tooltip } from "@mantine/core";
import styles from "./settings.module.css";
import type { Source } from "./values";

const WORDS: Record<Source["kind"], string> = {
  default: "default",
  file: "file",
  changed: "changed",
  environment: "environment",
  option: "option",
};

/** Where a value comes from, by a word; the whole of it for who points at it. */
export function SourceMark({ source }: { source: Source }) {
  const mark = (
    <span className={styles.source} data-kind={source.kind}>
      {WORDS[source.kind]}
    </span>
  );
  return source.words ? <Tooltip label={source.words}>{mark}</Tooltip> : mark;
}

/** The same as a sentence. */
export function sourceWords({ kind, words }: Source): string {
  if (kind === "default") return "the default";
  if (kind === "file") return words;
  if (kind === "changed") return "changed while the node runs";
  return kind === "environment" ? `environment variable ${words}` : `option ${words}`;
}
