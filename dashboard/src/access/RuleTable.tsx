// Users or clients who have rules of their own.

import { ActionIcon, Button, Group, Modal, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import {
  addRules,
  changeRules,
  deleteRules,
  listRules,
  type Ruled,
  type RuleKind,
} from "../api/accounts";
import { usePages } from "../api/walk";
import { plural } from "../lib/format";
import { useParams } from "../lib/params";
import { confirm, tell } from "../parts/confirm";
import { Filter } from "../parts/Filter";
import { Icon } from "../parts/Icon";
import { Empty, Failed, WaitingRows } from "../parts/Page";
import { type Column, Table } from "../parts/Table";
import { WalkFoot } from "../parts/WalkFoot";
import { RuleEditor } from "./RuleEditor";
import { wordsOf } from "./rules";

const KEY = "mqtt-rules";
const WORDS = {
  users: { one: "user", label: "User name" },
  clients: { one: "client", label: "Client identifier" },
} as const;

interface RuleTableProps {
  kind: RuleKind;
  tenant: string;
  mayEdit: boolean;
}

/** The list, and the dialog in which the rules of one are changed. */
export function RuleTable({ kind, tenant, mayEdit }: RuleTableProps) {
  const [opened, setOpened] = useState<Ruled | "new">();
  const [params, setParams] = useParams();
  const queries = useQueryClient();
  const like = params.get("name") ?? "";
  const walk = usePages([KEY, kind, like, tenant], (page) =>
    listRules(kind, page, { like, tenant }),
  );
  const refresh = () => queries.invalidateQueries({ queryKey: [KEY, kind] });
  const words = WORDS[kind];
  const close = () => setOpened(undefined);
  if (walk.error) return <Failed error={walk.error} retry={walk.refetch} />;
  const remove = (one: Ruled) =>
    confirm({
      title: `Delete the rules of ${one.name}?`,
      body: "What everybody may do, and what the configuration says, holds for it then.",
      act: "Delete rules",
      done: `${one.name} has no rules of its own any more.`,
      run: async () => {
        await deleteRules(kind, one);
        await refresh();
      },
    });
  return (
    <>
      <Group gap="sm">
        <Filter
          label={`Part of the ${words.label.toLowerCase()}…`}
          value={like}
          onFilter={(name) => setParams({ name })}
          w={260}
        />
        {mayEdit && (
          <Button ml="auto" leftSection={<Icon name="plus" />} onClick={() => setOpened("new")}>
            {`Rules for a ${words.one}`}
          </Button>
        )}
      </Group>
      <Table
        label={`Rules of ${kind}`}
        rows={walk.rows}
        columns={columnsOf(words.label, setOpened, mayEdit ? remove : undefined)}
        id={(one) => one.name}
        onEnd={walk.onEnd}
        empty={
          walk.isLoading ? (
            <WaitingRows />
          ) : (
            <Empty
              icon="rules"
              title={like ? `No ${words.one} is like that` : `No ${words.one} has rules of its own`}
            />
          )
        }
        foot={<WalkFoot walk={walk} />}
      />
      <Modal
        opened={opened !== undefined}
        onClose={close}
        size={1020}
        title={opened === "new" ? `Rules for a ${words.one}` : `Rules of ${opened?.name}`}
      >
        {opened && (
          <Dialog
            {...{ kind, tenant, mayEdit, close, refresh }}
            of={opened === "new" ? undefined : opened}
          />
        )}
      </Modal>
    </>
  );
}

function columnsOf(
  label: string,
  open: (one: Ruled) => void,
  remove: ((one: Ruled) => void) | undefined,
): Column<Ruled>[] {
  const columns: Column<Ruled>[] = [
    {
      key: "name",
      title: label,
      width: "minmax(120px, 1fr)",
      cell: (one) => (
        <button type="button" className="plain mono" onClick={() => open(one)} title={one.name}>
          {one.name}
        </button>
      ),
    },
    {
      key: "rules",
      title: "Rules, the first decides",
      width: "minmax(120px, 3fr)",
      cell: ({ rules }) => (
        <span className="mono muted" title={rules.map(wordsOf).join("\n")}>
          {rules.map(wordsOf).join("; ")}
        </span>
      ),
    },
    {
      key: "count",
      title: "",
      width: "64px",
      isNumber: true,
      from: 600,
      cell: ({ rules }) => plural(rules.length, "rule"),
    },
  ];
  if (!remove) return columns;
  return [
    ...columns,
    {
      key: "acts",
      title: <span className="visually-hidden">What can be done</span>,
      width: "30px",
      cell: (one) => (
        <ActionIcon
          size="sm"
          aria-label={`Delete the rules of ${one.name}`}
          onClick={() => remove(one)}
        >
          <Icon name="trash" size={14} />
        </ActionIcon>
      ),
    },
  ];
}

interface DialogProps extends RuleTableProps {
  of: Ruled | undefined;
  close: () => void;
  refresh: () => Promise<unknown>;
}

function Dialog({ of, kind, tenant, mayEdit, close, refresh }: DialogProps) {
  const [name, setName] = useState("");
  const { label } = WORDS[kind];
  return (
    <RuleEditor
      rules={of?.rules ?? [{ permission: "allow", action: "all", topic: "" }]}
      mayEdit={mayEdit}
      act="Save rules"
      close={close}
      save={async (rules) => {
        if (of) await changeRules(kind, { ...of, rules });
        else await addRules(kind, { name, tenant, rules });
        await refresh();
        close();
        tell(`The rules of ${of?.name ?? name} hold now.`);
      }}
    >
      {!of && (
        <TextInput
          label={label}
          classNames={{ input: "mono" }}
          required
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      )}
    </RuleEditor>
  );
}
