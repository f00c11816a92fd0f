import {
  ActionIcon,
  Button,
  Group,
  Modal,
  PasswordInput,
  Select,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answered, api, type User } from "../api/client";
import { type Role, session } from "../api/session";
import { plural } from "../lib/format";
import { nameFault, passwordFault, ROLES } from "../lib/people";
import { useStore } from "../lib/store";
import { confirm, tell } from "../parts/confirm";
import { Ends } from "../parts/Ends";
import { Icon } from "../parts/Icon";
import { Empty, Failed, FormFailure, Page, WaitingRows } from "../parts/Page";
import { type Column, Table } from "../parts/Table";
import { Status } from "../parts/Words";
import { USERS, useEndMfa, useUsers } from "../shell/mfa";

/** Who may log in here. */
export default function Users() {
  const [edited, setEdited] = useState<User | "new">();
  const users = useUsers();
  const queries = useQueryClient();
  const own = useStore(session)?.username;
  if (users.isError && !users.data)
    return <Failed error={users.error} retry={() => users.refetch()} />;
  const rows = users.data ?? [];
  const close = () => setEdited(undefined);
  const remove = (user: User) =>
    confirm({
      title: `Delete ${user.username}?`,
      body: "The user cannot log in any more, and is logged out where that is the case. What was done stays in the audit log.",
      act: "Delete user",
      done: `Deleted ${user.username}.`,
      run: async () => {
        await answered(
          api.DELETE("/api/v5/users/{username}", { params: { path: { username: user.username } } }),
        );
        await queries.invalidateQueries({ queryKey: USERS });
      },
    });
  return (
    <Page
      title="Users"
      isFilling
      lead={users.data && plural(rows.length, "user")}
      acts={
        <Button leftSection={<Icon name="plus" />} onClick={() => setEdited("new")}>
          New user
        </Button>
      }
    >
      <Table
        label="Users"
        rows={rows}
        columns={columnsOf(own, setEdited, remove)}
        id={(user) => user.username}
        empty={
          users.isLoading ? (
            <WaitingRows rows={3} />
          ) : (
            <Empty icon="users" title="There is no user" />
          )
        }
      />
      <Modal opened={edited === "new"} onClose={close} title="New user">
        <NewUser close={close} />
      </Modal>
      <Modal opened={edited !== undefined && edited !== "new"} onClose={close} title="Change user">
        {edited && edited !== "new" && <ChangeUser user={edited} close={close} />}
      </Modal>
    </Page>
  );
}

function columnsOf(
  own: string | undefined,
  edit: (user: User) => void,
  remove: (user: User) => void,
): Column<User>[] {
  return [
    {
      key: "name",
      title: "Name",
      width: "minmax(110px, 1fr)",
      cell: (user) => (
        <>
          {user.username} {user.username === own && <span className="muted">(you)</span>}
        </>
      ),
    },
    { key: "role", title: "Role", width: "minmax(100px, 0.7fr)", cell: (user) => user.role },
    {
      key: "mfa",
      title: "Second factor",
      width: "112px",
      from: 560,
      cell: (user) =>
        user.mfa === "totp" ? <Status kind="good">on</Status> : <span className="muted">–</span>,
    },
    {
      key: "about",
      title: "Description",
      width: "minmax(110px, 2fr)",
      from: 700,
      cell: (user) => user.description || <span className="muted">–</span>,
    },
    {
      key: "acts",
      title: <span className="visually-hidden">What can be done</span>,
      width: "104px",
      cell: (user) => (
        <Group gap={4} justify="flex-end" wrap="nowrap">
          <Button variant="subtle" size="compact-xs" onClick={() => edit(user)}>
            Change
          </Button>
          <ActionIcon
            size="sm"
            aria-label={`Delete ${user.username}`}
            disabled={user.username === own}
            onClick={() => remove(user)}
          >
            <Icon name="trash" size={14} />
          </ActionIcon>
        </Group>
      ),
    },
  ];
}

function NewUser({ close }: { close: () => void }) {
  const queries = useQueryClient();
  const form = useForm({
    initialValues: { username: "", password: "", role: "viewer" as Role, description: "" },
    validate: { username: nameFault, password: passwordFault },
  });
  const create = useMutation({
    mutationFn: (body: typeof form.values) => answered(api.POST("/api/v5/users", { body })),
    onSuccess: async (user) => {
      close();
      tell(`${user.username} may log in now.`);
      await queries.invalidateQueries({ queryKey: USERS });
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => create.mutate(values))}>
      <Stack gap="sm">
        <TextInput
          label="Name"
          autoComplete="off"
          required
          data-autofocus
          {...form.getInputProps("username")}
        />
        <PasswordInput
          label="Password"
          autoComplete="new-password"
          required
          {...form.getInputProps("password")}
        />
        <Select
          label="Role"
          allowDeselect={false}
          data={[...ROLES]}
          {...form.getInputProps("role")}
        />
        <TextInput
          label="Description"
          placeholder="What others are to know"
          {...form.getInputProps("description")}
        />
        <FormFailure error={create.error} />
        <Ends close={close} act="Create user" isBusy={create.isPending} />
      </Stack>
    </form>
  );
}

function ChangeUser({ user, close }: { user: User; close: () => void }) {
  const queries = useQueryClient();
  const form = useForm({ initialValues: { role: user.role, description: user.description ?? "" } });
  const change = useMutation({
    mutationFn: (body: typeof form.values) =>
      answered(
        api.PUT("/api/v5/users/{username}", {
          params: { path: { username: user.username } },
          body,
        }),
      ),
    onSuccess: async () => {
      close();
      tell(`${user.username} is changed.`);
      await queries.invalidateQueries({ queryKey: USERS });
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => change.mutate(values))}>
      <Stack gap="sm">
        <TextInput label="Name" value={user.username} disabled />
        <Select
          label="Role"
          allowDeselect={false}
          data={[...ROLES]}
          {...form.getInputProps("role")}
        />
        <TextInput label="Description" data-autofocus {...form.getInputProps("description")} />
        {user.mfa === "totp" && <LostFactor user={user} close={close} />}
        <FormFailure error={change.error} />
        <Ends close={close} act="Save" isBusy={change.isPending} />
      </Stack>
    </form>
  );
}

/** The way out for somebody who has lost the second factor. */
function LostFactor({ user, close }: { user: User; close: () => void }) {
  const end = useEndMfa();
  const ask = () => {
    close();
    end(user.username);
  };
  return (
    <Group justify="space-between" wrap="nowrap">
      <Text size="sm">Log-ins need a code of an app.</Text>
      <Button variant="default" onClick={ask}>
        End second factor
      </Button>
    </Group>
  );
}
