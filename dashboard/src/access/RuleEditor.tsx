// Rules in their order: the first that says something about an act decides.

import { ActionIcon, Button, Group, MultiSelect, Select, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { AccountRule } from "../api/client";
import { Icon } from "../parts/Icon";
import { Empty, FormFailure } from "../parts/Page";
import styles from "./access.module.css";
import { type Draft, drafted, finished, fresh, moved, topicFaultOf } from "./rules";

interface RuleEditorProps {
  rules: readonly AccountRule[];
  mayEdit: boolean;
  /** Before the rules: whom they are about. */
  children?: ReactNode;
  /** What the button says. */
  act: string;
  save: (rules: AccountRule[]) => Promise<unknown>;
  close?: () => void;
}

/** A list of rules that can be changed, moved, added to and saved. */
export function RuleEditor(props: RuleEditorProps) {
  const [drafts, setDrafts] = useState(() => drafted(props.rules));
  const [isAsked, setAsked] = useState(false);
  const save = useMutation({ mutationFn: () => props.save(finished(drafts)) });
  const isFaulty = drafts.some((one) => topicFaultOf(one.topic));
  const put = (index: number, changed: Partial<AccountRule>) =>
    setDrafts(drafts.map((one, at) => (at === index ? { ...one, ...changed } : one)));
  return (
    <form
      className={styles.editor}
      onSubmit={(event) => {
        event.preventDefault();
        setAsked(true);
        if (!isFaulty) save.mutate();
      }}
    >
      {props.children}
      {drafts.length === 0 && (
        <Empty icon="rules" title="There is no rule">
          The rules of the configuration and of other services are asked then.
        </Empty>
      )}
      <ol className={styles.rules}>
        {drafts.map((draft, index) => (
          <RuleRow
            key={draft.number}
            draft={draft}
            index={index}
            last={drafts.length - 1}
            mayEdit={props.mayEdit}
            fault={isAsked ? topicFaultOf(draft.topic) : undefined}
            put={(changed) => put(index, changed)}
            move={(to) => setDrafts(moved(drafts, index, to))}
            remove={() => setDrafts(drafts.filter((one) => one !== draft))}
          />
        ))}
      </ol>
      <FormFailure error={save.error} />
      {props.mayEdit && (
        <Group gap="xs">
          <Button
            variant="default"
            leftSection={<Icon name="plus" />}
            onClick={() => setDrafts([...drafts, ...fresh()])}
          >
            Add rule
          </Button>
          <Group gap="xs" ml="auto">
            {props.close && (
              <Button variant="default" onClick={props.close}>
                Cancel
              </Button>
            )}
            <Button type="submit" loading={save.isPending}>
              {props.act}
            </Button>
          </Group>
        </Group>
      )}
    </form>
  );
}

interface RuleRowProps {
  draft: Draft;
  index: number;
  last: number;
  mayEdit: boolean;
  fault: string | undefined;
  put: (changed: Partial<AccountRule>) => void;
  move: (to: number) => void;
  remove: () => void;
}

const PERMISSIONS: { value: AccountRule["permission"]; label: string }[] = [
  { value: "allow", label: "Allow" },
  { value: "deny", label: "Deny" },
];
const ACTIONS: { value: AccountRule["action"]; label: string }[] = [
  { value: "publish", label: "publish" },
  { value: "subscribe", label: "subscribe" },
  { value: "all", label: "both" },
];
const RETAIN = [
  { value: "all", label: "retained or not" },
  { value: "true", label: "retained" },
  { value: "false", label: "not retained" },
];
const QOS = ["0", "1", "2"].map((qos) => ({ value: qos, label: `QoS ${qos}` }));

function RuleRow({ draft, index, mayEdit, fault, put, ...acts }: RuleRowProps) {
  const shared = { allowDeselect: false, disabled: !mayEdit, size: "xs" } as const;
  const named = (what: string) => ({ "aria-label": `${what} of rule ${index + 1}` });
  return (
    <li className={styles.rule} aria-label={`Rule ${index + 1}`}>
      <span className={styles.place}>{index + 1}</span>
      <Select
        {...shared}
        {...named("Permission")}
        data={PERMISSIONS}
        value={draft.permission}
        onChange={(permission) => permission && put({ permission })}
      />
      <Select
        {...shared}
        {...named("Action")}
        data={ACTIONS}
        value={draft.action}
        onChange={(action) => action && put({ action })}
      />
      <TextInput
        {...named("Topic")}
        className={styles.topic}
        classNames={{ input: "mono" }}
        placeholder="robot/${username}/#"
        disabled={!mayEdit}
        error={fault}
        value={draft.topic}
        onChange={(event) => put({ topic: event.currentTarget.value })}
      />
      <MultiSelect
        {...named("Quality of service")}
        className={styles.qos}
        size="xs"
        disabled={!mayEdit}
        placeholder={draft.qos?.length ? "" : "any QoS"}
        data={QOS}
        value={(draft.qos ?? []).map(String)}
        onChange={(qos) => put({ qos: qos.map(Number) })}
      />
      <Select
        {...shared}
        {...named("Retained")}
        disabled={!mayEdit || draft.action === "subscribe"}
        data={RETAIN}
        value={String(draft.retain ?? "all")}
        onChange={(retain) => put({ retain: retain === "all" ? "all" : retain === "true" })}
      />
      {mayEdit && <RowActs index={index} {...acts} />}
    </li>
  );
}

function RowActs({
  index,
  last,
  move,
  remove,
}: Pick<RuleRowProps, "index" | "last" | "move" | "remove">) {
  const name = `rule ${index + 1}`;
  return (
    <span className={styles.acts}>
      <ActionIcon
        aria-label={`Move ${name} up`}
        disabled={index === 0}
        onClick={() => move(index - 1)}
      >
        <Icon name="up" size={14} />
      </ActionIcon>
      <ActionIcon
        aria-label={`Move ${name} down`}
        disabled={index === last}
        onClick={() => move(index + 1)}
      >
        <Icon name="down" size={14} />
      </ActionIcon>
      <ActionIcon aria-label={`Delete ${name}`} onClick={remove}>
        <Icon name="trash" size={14} />
      </ActionIcon>
    </span>
  );
}
