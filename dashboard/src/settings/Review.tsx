// All that is to be changed, before it is: each difference, what the node says, and why.

import { ActionIcon, Modal, Stack, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type ConfigChange, type ConfigOutcome, messageOf } from "../api/client";
import { plural } from "../lib/format";
import { useStore } from "../lib/store";
import { tell } from "../parts/confirm";
import { Ends } from "../parts/Ends";
import { Icon } from "../parts/Icon";
import { FormFailure, Note } from "../parts/Page";
import { Status, Worded } from "../parts/Words";
import { Conflict } from "./Conflict";
import { Difference } from "./Difference";
import { type Draft, discard, draft, rebased, withoutEdit } from "./draft";
import { change, isConflict, useChanges, useConfig, useRefresh } from "./queries";
import styles from "./settings.module.css";
import { type Edit, faultsOf, isWithin, patchOf, touches } from "./values";

/** What the node says of the draft. It is asked again whenever the draft is another. */
function useTrial({ version, edits }: Draft) {
  return useQuery({
    queryKey: ["configs", "trial", version, patchOf(edits)],
    queryFn: () => change(version, edits, { isTrial: true }),
    enabled: edits.length > 0,
    retry: false,
  });
}

/** The dialog that applies the draft. */
export function Review({ close }: { close: () => void }) {
  const current = useStore(draft);
  const config = useConfig();
  const refresh = useRefresh();
  const trial = useTrial(current);
  const [why, setWhy] = useState("");
  const apply = useMutation({
    mutationFn: () => change(current.version, current.edits, { isTrial: false, why: why.trim() }),
    onSuccess: async (outcome) => {
      close();
      discard();
      tell(doneWords(outcome));
      await refresh();
    },
  });
  const error = apply.error ?? trial.error;
  const isOvertaken =
    isConflict(error) || (config.data !== undefined && config.data.version > current.version);
  const faults = error && !isOvertaken ? faultsOf(messageOf(error)) : new Map<string, string>();
  const look = async () => {
    apply.reset();
    await refresh();
    const { data } = await config.refetch();
    if (data) draft.set(rebased(draft.get(), data));
  };
  const loose = [...faults].filter(
    ([key]) => !current.edits.some((edit) => key !== "" && isWithin(key, edit.key)),
  );
  return (
    <Modal opened onClose={close} size="xl" title="Review the change">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!isOvertaken) apply.mutate();
        }}
      >
        <Stack gap="md">
          {isOvertaken && <Conflict look={look} />}
          <EditList
            current={current}
            trial={isOvertaken ? undefined : trial.data}
            faults={faults}
          />
          {loose.map(([key, words]) => (
            <FormFailure key={key} error={new Error(words)} />
          ))}
          <TextInput
            label="Why"
            placeholder="What the history is to say"
            maxLength={1000}
            value={why}
            onChange={(event) => setWhy(event.currentTarget.value)}
          />
          <Ends
            close={close}
            act="Apply"
            isBusy={apply.isPending || trial.isLoading}
            isOff={isOvertaken || error !== null || current.edits.length === 0}
          />
        </Stack>
      </form>
    </Modal>
  );
}

function doneWords({ version, keys, waits }: ConfigOutcome): string {
  const waiting = waits.filter((key) => touches(keys, key));
  const later =
    waiting.length === 0 ? "" : ` ${plural(waiting.length, "key")} of it from the next start on.`;
  return `Version ${version} holds now.${later}`;
}

interface EditListProps {
  current: Draft;
  trial: ConfigOutcome | undefined;
  faults: Map<string, string>;
}

function EditList({ current, trial, faults }: EditListProps) {
  const changes = useChanges().data?.changes ?? [];
  if (current.edits.length === 0) {
    return <Status kind="none">Nothing is left to change: it is so already</Status>;
  }
  return (
    <ul className={styles.edits}>
      {current.edits.map((edit) => (
        <li key={edit.key}>
          <div className={styles.editHead}>
            <span className="mono">{edit.key}</span>
            <WhenWord edit={edit} trial={trial} />
            <ActionIcon
              size="sm"
              ml="auto"
              aria-label={`Leave ${edit.key} as it is`}
              onClick={() => draft.set(withoutEdit(draft.get(), edit.key))}
            >
              <Icon name="close" size={14} />
            </ActionIcon>
          </div>
          <EditDifference edit={edit} change={changes.find((one) => one.key === edit.key)} />
          {current.overtaken.includes(edit.key) && (
            <Note>
              Somebody else has changed it meanwhile. This is the difference to what holds now.
            </Note>
          )}
          {[...faults]
            .filter(([key]) => key !== "" && isWithin(key, edit.key))
            .map(([key, words]) => (
              <div key={key} className={styles.fault} role="alert">
                <Worded text={key === edit.key ? words : `${key}: ${words}`} />
              </div>
            ))}
        </li>
      ))}
    </ul>
  );
}

function EditDifference({ edit, change: one }: { edit: Edit; change: ConfigChange | undefined }) {
  if (edit.value !== undefined) return <Difference from={edit.seen} to={edit.value} />;
  if (one) return <Difference from={edit.seen} to={one.of_file} />;
  return <Difference from={edit.seen} to={undefined} toWords="as the file says" />;
}

function WhenWord({ edit, trial }: { edit: Edit; trial: ConfigOutcome | undefined }) {
  if (!trial) return null;
  return touches(trial.waits, edit.key) ? (
    <Status kind="warn">from the next start on</Status>
  ) : (
    <Status kind="good">at once</Status>
  );
}
