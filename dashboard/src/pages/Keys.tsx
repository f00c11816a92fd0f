import {
  ActionIcon,
  Alert,
  Button,
  Group,
  Modal,
  Select,
  Stack,
  Switch,
  Text,
  TextInput,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type ApiKey, type ApiKeyCreated, answered, api } from "../api/client";
import type { Role } from "../api/session";
import { plural } from "../lib/format";
import { nameFault, ROLES } from "../lib/people";
import { complain, confirm } from "../parts/confirm";
import { Ends } from "../parts/Ends";
import { Icon } from "../parts/Icon";
import { Empty, Failed, FormFailure, Page, WaitingRows } from "../parts/Page";
import { type Column, Table } from "../parts/Table";
import { Copyable, Facts, Moment, Status } from "../parts/Words";

const KEY = ["keys"];

/** Keys of programs. */
export default function Keys() {
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<ApiKeyCreated>();
  const keys = useQuery({ queryKey: KEY, queryFn: () => answered(api.GET("/api/v5/api_key")) });
  const acts = useActs();
  if (keys.isError && !keys.data) return <Failed error={keys.error} retry={() => keys.refetch()} />;
  const rows = keys.data ?? [];
  const finish = (key: ApiKeyCreated) => {
    setMaking(false);
    setMade(key);
  };
  return (
    <Page
      title="API keys"
      isFilling
      lead={keys.data && plural(rows.length, "key")}
      acts={
        <Button leftSection={<Icon name="plus" />} onClick={() => setMaking(true)}>
          New key
        </Button>
      }
    >
      <Table
        label="API keys"
        rows={rows}
        columns={columnsOf(acts)}
        id={(key) => key.name}
        empty={keys.isLoading ? <WaitingRows rows={3} /> : <NoKeys />}
      />
      <Modal opened={isMaking} onClose={() => setMaking(false)} title="New API key">
        <NewKey finish={finish} close={() => setMaking(false)} />
      </Modal>
      <Modal
        opened={made !== undefined}
        onClose={() => setMade(undefined)}
        title="The key is made"
        closeOnClickOutside={false}
      >
        {made && <Made made={made} close={() => setMade(undefined)} />}
      </Modal>
    </Page>
  );
}

function NoKeys() {
  return (
    <Empty icon="keys" title="No program has a key">
      A program shows its key and secret as name and password (Authorization: Basic), and may do
      what the role of its key says.
    </Empty>
  );
}

interface Acts {
  enable: (key: ApiKey, enable: boolean) => void;
  remove: (key: ApiKey) => void;
}

function useActs(): Acts {
  const queries = useQueryClient();
  const update = useMutation({
    mutationFn: ({ name, enable }: { name: string; enable: boolean }) =>
      answered(api.PUT("/api/v5/api_key/{name}", { params: { path: { name } }, body: { enable } })),
    onError: complain,
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  });
  const remove = (key: ApiKey) =>
    confirm({
      title: `Delete the key ${key.name}?`,
      body: "Programs that show it are refused from then on. It cannot be had back.",
      act: "Delete key",
      done: `Deleted the key ${key.name}.`,
      run: async () => {
        await answered(
          api.DELETE("/api/v5/api_key/{name}", { params: { path: { name: key.name } } }),
        );
        await queries.invalidateQueries({ queryKey: KEY });
      },
    });
  return { enable: ({ name }, enable) => update.mutate({ name, enable }), remove };
}

function KeyState({ apiKey }: { apiKey: ApiKey }) {
  if (apiKey.expired) return <Status kind="bad">Ended</Status>;
  return apiKey.enable ? <Status kind="good">In use</Status> : <Status kind="none">Off</Status>;
}

function columnsOf({ enable, remove }: Acts): Column<ApiKey>[] {
  return [
    {
      key: "name",
      title: "Name",
      width: "minmax(90px, 1fr)",
      cell: (key) => <span title={key.desc}>{key.name}</span>,
    },
    {
      key: "key",
      title: "Key",
      width: "minmax(120px, 1.2fr)",
      from: 700,
      cell: (key) => <Copyable text={key.api_key} label="key" />,
    },
    { key: "role", title: "Role", width: "104px", from: 560, cell: (key) => key.role },
    { key: "state", title: "State", width: "80px", cell: (key) => <KeyState apiKey={key} /> },
    {
      key: "ends",
      title: "Ends",
      width: "110px",
      from: 1000,
      cell: (key) => (key.expired_at ? <Moment at={key.expired_at} /> : "never"),
    },
    {
      key: "made",
      title: "Made",
      width: "110px",
      from: 1000,
      cell: (key) => <Moment at={key.created_at} />,
    },
    {
      key: "acts",
      title: <span className="visually-hidden">What can be done</span>,
      width: "82px",
      cell: (key) => (
        <Group gap={10} justify="flex-end" wrap="nowrap">
          <Switch
            aria-label={`${key.name} may be used`}
            checked={key.enable}
            onChange={(event) => enable(key, event.currentTarget.checked)}
          />
          <ActionIcon size="sm" aria-label={`Delete ${key.name}`} onClick={() => remove(key)}>
            <Icon name="trash" size={14} />
          </ActionIcon>
        </Group>
      ),
    },
  ];
}

const DAY = 86_400_000;
const ENDS = [
  { value: "", label: "Never" },
  { value: "30", label: "In 30 days" },
  { value: "90", label: "In 90 days" },
  { value: "365", label: "In a year" },
];

interface NewKeyProps {
  finish: (made: ApiKeyCreated) => void;
  close: () => void;
}

function NewKey({ finish, close }: NewKeyProps) {
  const queries = useQueryClient();
  const form = useForm({
    initialValues: { name: "", desc: "", role: "viewer" as Role, days: "90" },
    validate: { name: nameFault },
  });
  const create = useMutation({
    mutationFn: ({ days, ...rest }: typeof form.values) => {
      const expired_at =
        days === "" ? null : new Date(Date.now() + Number(days) * DAY).toISOString();
      return answered(api.POST("/api/v5/api_key", { body: { ...rest, enable: true, expired_at } }));
    },
    onSuccess: async (made) => {
      finish(made);
      await queries.invalidateQueries({ queryKey: KEY });
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => create.mutate(values))}>
      <Stack gap="sm">
        <TextInput
          label="Name"
          placeholder="Which program uses it"
          autoComplete="off"
          required
          data-autofocus
          {...form.getInputProps("name")}
        />
        <Select
          label="Role"
          allowDeselect={false}
          data={[...ROLES]}
          {...form.getInputProps("role")}
        />
        <Select label="Ends" allowDeselect={false} data={ENDS} {...form.getInputProps("days")} />
        <TextInput
          label="Description"
          placeholder="What others are to know"
          {...form.getInputProps("desc")}
        />
        <FormFailure error={create.error} />
        <Ends close={close} act="Make key" isBusy={create.isPending} />
      </Stack>
    </form>
  );
}

function Made({ made, close }: { made: ApiKeyCreated; close: () => void }) {
  return (
    <Stack gap="sm">
      <Alert color="yellow" py={8} icon={<Icon name="warning" />}>
        The secret is shown this once. Copy it now.
      </Alert>
      <Facts
        facts={[
          ["Name", made.name],
          ["Key", <Copyable key="key" text={made.api_key} label="key" />],
          ["Secret", <Copyable key="secret" text={made.api_secret} label="secret" />],
        ]}
      />
      <Text size="xs" c="dimmed" component="div">
        Try it:{" "}
        <span className="mono">curl -u KEY:SECRET {window.location.origin}/api/v5/nodes</span>
      </Text>
      <Group justify="flex-end">
        <Button onClick={close}>I have copied it</Button>
      </Group>
    </Stack>
  );
}
