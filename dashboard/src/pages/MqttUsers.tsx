import { ActionIcon, Button, Group, Modal, Select, Tooltip } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Off } from "../access/Off";
import { TenantPick } from "../access/TenantPick";
import { ChangeUser, NewUser } from "../access/UserForms";
import { deleteUser, keepsUsers, listUsers, type UserFilter } from "../api/accounts";
import type { MqttUser } from "../api/client";
import { mayChange, session } from "../api/session";
import { usePages } from "../api/walk";
import { plural } from "../lib/format";
import { useParams } from "../lib/params";
import { useStore } from "../lib/store";
import { confirm } from "../parts/confirm";
import { Filter } from "../parts/Filter";
import { Icon } from "../parts/Icon";
import { Empty, Failed, Page, Panel, Waiting, WaitingRows } from "../parts/Page";
import { type Column, Table } from "../parts/Table";
import { WalkFoot } from "../parts/WalkFoot";
import { Copyable, Status } from "../parts/Words";

const TITLE = "MQTT users";
const KEY = "mqtt-users";
const KINDS: { value: UserFilter["isSuperuser"]; label: string }[] = [
  { value: "", label: "All users" },
  { value: "true", label: "Superusers" },
  { value: "false", label: "Others" },
];

/** Who may connect by a password that the node keeps. */
export default function MqttUsers() {
  const kept = useQuery({ queryKey: [KEY, "kept"], queryFn: keepsUsers });
  if (kept.isError && !kept.data) return <Failed error={kept.error} retry={() => kept.refetch()} />;
  if (kept.data === undefined) return <Waiting />;
  if (kept.data) return <Users />;
  return (
    <Page title={TITLE}>
      <Panel>
        <Off what="MQTT users" />
      </Panel>
    </Page>
  );
}

function Users() {
  const [edited, setEdited] = useState<MqttUser | "new">();
  const [params, setParams] = useParams();
  const queries = useQueryClient();
  const mayEdit = mayChange(useStore(session)?.role ?? "viewer");
  const isSuperuser = KINDS.find((kind) => kind.value === params.get("super"))?.value ?? "";
  const filter: UserFilter = {
    like: params.get("name") ?? "",
    isSuperuser,
    tenant: params.get("tenant") ?? "",
  };
  const walk = usePages([KEY, filter], (page) => listUsers(page, filter));
  const refresh = () => queries.invalidateQueries({ queryKey: [KEY] });
  const close = () => setEdited(undefined);
  if (walk.error) return <Failed error={walk.error} retry={walk.refetch} />;
  const isFiltered = filter.like !== "" || filter.isSuperuser !== "";
  const remove = (user: MqttUser) =>
    confirm({
      title: `Delete ${user.user_id}?`,
      body: "Nobody connects by this name and its password any more. Whoever is connected stays until disconnected.",
      act: "Delete user",
      done: `Deleted ${user.user_id}.`,
      run: async () => {
        await deleteUser(user);
        await refresh();
      },
    });
  return (
    <Page
      title={TITLE}
      isFilling
      lead={walk.count !== undefined && plural(walk.count, "user")}
      acts={
        mayEdit && (
          <Button leftSection={<Icon name="plus" />} onClick={() => setEdited("new")}>
            New user
          </Button>
        )
      }
    >
      <Group gap="sm">
        <Filter
          label="Part of the name…"
          value={filter.like}
          onFilter={(name) => setParams({ name })}
        />
        <Select
          aria-label="Which users"
          data={KINDS}
          allowDeselect={false}
          value={filter.isSuperuser}
          onChange={(one) => setParams({ super: one ?? "" })}
          w={130}
        />
        <TenantPick
          aria-label="Whose users"
          value={filter.tenant}
          onPick={(tenant) => setParams({ tenant })}
          w={150}
        />
      </Group>
      <Table
        label={TITLE}
        rows={walk.rows}
        columns={columnsOf(mayEdit ? { edit: setEdited, remove } : undefined)}
        id={(user) => `${user.tenant ?? ""} ${user.user_id}`}
        onEnd={walk.onEnd}
        empty={walk.isLoading ? <WaitingRows /> : <NoUsers isFiltered={isFiltered} />}
        foot={<WalkFoot walk={walk} />}
      />
      <Modal opened={edited === "new"} onClose={close} title="New MQTT user">
        <NewUser tenant={filter.tenant} close={close} done={refresh} />
      </Modal>
      <Modal
        opened={edited !== undefined && edited !== "new"}
        onClose={close}
        title="Change MQTT user"
      >
        {edited && edited !== "new" && <ChangeUser user={edited} close={close} done={refresh} />}
      </Modal>
    </Page>
  );
}

function NoUsers({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) return <Empty icon="search" title="No user is like that" />;
  return (
    <Empty icon="people" title="The node keeps no user yet">
      Users that stand in the configuration file are not listed here.
    </Empty>
  );
}

interface Acts {
  edit: (user: MqttUser) => void;
  remove: (user: MqttUser) => void;
}

function columnsOf(acts: Acts | undefined): Column<MqttUser>[] {
  const columns: Column<MqttUser>[] = [
    {
      key: "name",
      title: "Name",
      width: "minmax(120px, 2fr)",
      cell: (user) => <Copyable text={user.user_id} label="name" />,
    },
    {
      key: "super",
      title: "Rights",
      width: "minmax(110px, 1fr)",
      cell: (user) =>
        user.is_hidden ? (
          <Tooltip label="The configuration has a user of this name, who comes first: this one cannot connect.">
            <span>
              <Status kind="bad">hidden by the file</Status>
            </span>
          </Tooltip>
        ) : user.is_superuser ? (
          <Status kind="warn">superuser</Status>
        ) : (
          <span className="muted">by the rules</span>
        ),
    },
  ];
  if (!acts) return columns;
  return [
    ...columns,
    {
      key: "acts",
      title: <span className="visually-hidden">What can be done</span>,
      width: "104px",
      cell: (user) => (
        <Group gap={4} justify="flex-end" wrap="nowrap">
          <Button
            variant="subtle"
            size="compact-xs"
            aria-label={`Change ${user.user_id}`}
            onClick={() => acts.edit(user)}
          >
            Change
          </Button>
          <ActionIcon
            size="sm"
            aria-label={`Delete ${user.user_id}`}
            onClick={() => acts.remove(user)}
          >
            <Icon name="trash" size={14} />
          </ActionIcon>
        </Group>
      ),
    },
  ];
}
