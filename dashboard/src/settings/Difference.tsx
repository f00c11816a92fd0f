// What a key is, and what it is to be.

import type { ReactNode } from "react";
import { diffLines } from "./diff";
import styles from "./settings.module.css";
import { shown, written } from "./values";

interface DifferenceProps {
  from: unknown;
  to: unknown;
  /** What stands in the place of a value that is not known, or that the file gives. */
  toWords?: ReactNode;
}

const isLong = (value: unknown) => typeof value === "object" && value !== null;
const SIGNS = { same: " ", gone: "-", new: "+" } as const;
const WORDS = { same: "", gone: "gone: ", new: "new: " } as const;

/** Short values beside each other, long ones line by line. */
export function Difference({ from, to, toWords }: DifferenceProps) {
  if (toWords === undefined && (isLong(from) || isLong(to))) {
    return <Lines from={written(from)} to={written(to)} />;
  }
  return (
    <div className={styles.difference}>
      <del className="mono">{shown(from)}</del>
      <span aria-hidden="true">→</span>
      {toWords === undefined ? <ins className="mono">{shown(to)}</ins> : <span>{toWords}</span>}
    </div>
  );
}

function Lines({ from, to }: { from: string; to: string }) {
  const lines = diffLines(from, to);
  return (
    <pre className={styles.lines} tabIndex={0}>
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is known by its place
        <div key={index} data-kind={line.kind}>
          <span aria-hidden="true">{SIGNS[line.kind]} </span>
          <span className="visually-hidden">{WORDS[line.kind]}</span>
          {line.text}
        </div>
      ))}
    </pre>
  );
}
