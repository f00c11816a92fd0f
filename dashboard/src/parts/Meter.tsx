// How much of a limit is used.

import { count } from "../lib/format";
import styles from "./parts.module.css";

interface MeterProps {
  /** What is limited, for who does not see it. */
  label: string;
  used: number;
  /** The limit; none where it is not a number above zero. */
  limit: number;
  format?: (value: number) => string;
  /** Whether there is more than was counted. */
  isMore?: boolean;
}

const NEAR = 75;
const FULL = 95;

/** A number of a limit, with a bar where there is one. */
export function Meter({ label, used, limit, format = count, isMore }: MeterProps) {
  const shown = `${format(used)}${isMore ? " or more" : ""}`;
  if (!(limit > 0)) {
    return (
      <div className={styles.meter}>
        <span className="number">{shown}</span>
        <span className="muted">no limit</span>
      </div>
    );
  }
  const part = Number.isFinite(used) ? Math.min(100, (used / limit) * 100) : 0;
  const kind = part >= FULL ? "bad" : part >= NEAR ? "warn" : "good";
  const words = part > 0 && part < 1 ? "under 1 %" : `${Math.floor(part)} %`;
  return (
    <div className={styles.meter}>
      <span className="number">
        {shown} <span className="muted">of {format(limit)}</span>
      </span>
      <span className="number muted">{words}</span>
      <div
        className={styles.bar}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.floor(part)}
        aria-valuetext={`${shown} of ${format(limit)}`}
      >
        <div data-kind={kind} style={{ width: `${part}%`, minWidth: part > 0 ? 2 : 0 }} />
      </div>
    </div>
  );
}
