// One key: what it is, where it comes from, and what it is to be.

import { Button, Group, Modal, Stack } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { ApiFailure, type ConfigChange, type EffectiveConfig, messageOf } from "../api/client";
import { FormFailure, Note } from "../parts/Page";
import { Facts, Moment, Worded } from "../parts/Words";
import { draft, withEdit, withoutEdit } from "./draft";
import { Field, readTyped, typedOf } from "./Field";
import { change, isConflict } from "./queries";
import { sourceWords } from "./SourceMark";
import type { Spec } from "./schema";
import styles from "./settings.module.css";
import { faultsOf, hidesSecrets, isWithin, shown, sourceOf, valueAt } from "./values";

interface EditKeyProps {
  spec: Spec;
  config: EffectiveConfig;
  /** The change of the key that holds over the file, if there is one. */
  changed: ConfigChange | undefined;
  mayEdit: boolean;
  close: () => void;
}

/** The dialog of a key. */
export function EditKey(props: EditKeyProps) {
  return (
    <Modal
      opened
      onClose={props.close}
      size="lg"
      title={<span className="mono">{props.spec.key}</span>}
    >
      <Stack gap="sm">
        {props.spec.about && (
          <p className={styles.about}>
            <Worded text={props.spec.about} />
          </p>
        )}
        <Facts facts={factsOf(props)} />
        <Hidden {...props} />
        {props.mayEdit && <Edit {...props} />}
      </Stack>
    </Modal>
  );
}

function factsOf({ spec, config, changed }: EditKeyProps): [string, ReactNode][] {
  const mono = (value: unknown) => <span className="mono">{shown(value)}</span>;
  const source = sourceOf(config.origins, spec.key);
  const facts: [string, ReactNode][] = [
    ["Now", mono(valueAt(config.config, spec.path))],
    ["Comes from", sourceWords(source)],
  ];
  if (source.kind !== "default") facts.push(["Default", mono(spec.fallback)]);
  if (changed) {
    facts.push(["The file says", mono(changed.of_file)]);
    facts.push([
      "Changed",
      <span key="changed">
        by {changed.by}, <Moment at={changed.at} />
      </span>,
    ]);
  }
  return facts;
}

function Hidden({ spec, config }: EditKeyProps) {
  const { kind, words } = sourceOf(config.origins, spec.key);
  if (kind !== "environment" && kind !== "option") return null;
  return (
    <Note>
      {kind === "environment" ? "The environment variable" : "The option"}{" "}
      <span className="mono">{words}</span> hides whatever is changed here. Without it, the change
      would hold.
    </Note>
  );
}

function Edit({ spec, config, changed, close }: EditKeyProps) {
  const before = draft.get().edits.find((edit) => edit.key === spec.key);
  const seen = valueAt(config.config, spec.path);
  const [typed, setTyped] = useState(() => typedOf(spec, before?.value ?? seen));
  const [fault, setFault] = useState<string>();
  const add = useMutation({
    mutationFn: async (value: unknown) => {
      const edit = { path: spec.path, key: spec.key, seen, value };
      const next = withEdit(draft.get(), edit, config.version);
      const found = next.edits.length === 0 ? undefined : await faultIn(next, spec.key);
      if (found) setFault(found);
      else {
        draft.set(next);
        close();
      }
    },
  });
  const take = () => {
    try {
      add.mutate(readTyped(spec, typed));
    } catch (error) {
      setFault(messageOf(error));
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        take();
      }}
    >
      <Stack gap="sm">
        <Field
          spec={spec}
          typed={typed}
          fault={fault}
          onType={(next) => {
            setTyped(next);
            setFault(undefined);
          }}
        />
        {hidesSecrets(seen) && (
          <Note>
            <span className="mono">***</span> stands where secrets are. They have to be given anew,
            each as <span className="mono">file:</span> and the path of a file that holds it.
          </Note>
        )}
        <FormFailure error={add.error} />
        <Group gap="xs">
          {changed && (
            <Button variant="default" onClick={() => add.mutate(undefined)}>
              Let the file hold again
            </Button>
          )}
          {before && (
            <Button
              variant="default"
              onClick={() => {
                draft.set(withoutEdit(draft.get(), spec.key));
                close();
              }}
            >
              Leave it as it is
            </Button>
          )}
          <Group gap="xs" ml="auto">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={add.isPending}>
              Add to the change
            </Button>
          </Group>
        </Group>
      </Stack>
    </form>
  );
}

/** What the node says is wrong with the key. Other mistakes, and that somebody came first, are told where all of it is reviewed. */
async function faultIn(
  next: ReturnType<typeof withEdit>,
  key: string,
): Promise<string | undefined> {
  try {
    await change(next.version, next.edits, { isTrial: true });
    return undefined;
  } catch (error) {
    if (isConflict(error)) return undefined;
    if (!(error instanceof ApiFailure) || error.status !== 400) throw error;
    return [...faultsOf(error.message)].find(([name]) => isWithin(name, key))?.[1];
  }
}
