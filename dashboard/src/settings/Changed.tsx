// What was changed over the file, and what hides it.

import { Button } from "@mantine/core";
import {
  type ConfigChange,
  type ConfigChanges,
  type EffectiveConfig,
  sentence,
} from "../api/client";
import { Empty, Note, Panel } from "../parts/Page";
import { Moment, Status } from "../parts/Words";
import { Difference } from "./Difference";
import { draft, withEdit } from "./draft";
import { specsOf } from "./schema";
import styles from "./settings.module.css";
import { touches, valueAt } from "./values";

interface ChangedProps {
  config: EffectiveConfig;
  changes: ConfigChanges;
  mayEdit: boolean;
}

/** The changes that hold over the file. */
export function Changed({ config, changes, mayEdit }: ChangedProps) {
  if (changes.changes.length === 0) {
    return (
      <Panel>
        <Empty icon="settings" title="Nothing is changed">
          What the configuration file says holds. What is changed here lies over it key by key, and
          the file stays as it is.
        </Empty>
      </Panel>
    );
  }
  return (
    <div className={styles.sections}>
      {changes.changes.map((change) => (
        <Panel
          key={change.key}
          title={<span className="mono">{change.key}</span>}
          aside={<Aside {...{ change, config, changes, mayEdit }} />}
        >
          <div className={styles.changeBody}>
            <div className={styles.fromFile}>
              <span className="muted">{change.place ?? "Default"}</span>
              <Difference from={change.of_file} to={change.value} />
            </div>
            {change.notes.map((note) => (
              <Note key={note}>{sentence(note.replace(`${change.key}: `, ""))}</Note>
            ))}
          </div>
        </Panel>
      ))}
    </div>
  );
}

function Aside({ change, config, changes, mayEdit }: ChangedProps & { change: ConfigChange }) {
  const spec = specsOf(config.config).find((one) => one.key === change.key);
  const undo = () => {
    const path = spec?.path ?? change.key.split(".");
    const edit = { path, key: change.key, seen: valueAt(config.config, path), value: undefined };
    draft.set(withEdit(draft.get(), edit, config.version));
  };
  return (
    <>
      <span className={styles.when}>
        <State change={change} waits={changes.waits} />
        <span className="muted">
          by {change.by}, <Moment at={change.at} />
        </span>
      </span>
      {mayEdit && (
        <Button
          variant="default"
          size="compact-xs"
          ml="auto"
          aria-label={`Let the file hold again for ${change.key}`}
          onClick={undo}
        >
          Let the file hold again
        </Button>
      )}
    </>
  );
}

function State({ change, waits }: { change: ConfigChange; waits: string[] }) {
  if (change.hidden_by) return <Status kind="bad">hidden</Status>;
  if (touches(waits, change.key)) return <Status kind="warn">waits for the next start</Status>;
  return <Status kind="good">holds</Status>;
}
