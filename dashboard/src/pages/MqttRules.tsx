import { Group, Tabs } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Off } from "../access/Off";
import { RuleEditor } from "../access/RuleEditor";
import { RuleTable } from "../access/RuleTable";
import { TenantPick } from "../access/TenantPick";
import { changeRulesOfAll, keepsRules, rulesOfAll } from "../api/accounts";
import type { AccountRule } from "../api/client";
import { mayChange, session } from "../api/session";
import { useParams } from "../lib/params";
import { useStore } from "../lib/store";
import { tell } from "../parts/confirm";
import { Failed, Page, Panel, Waiting, WaitingRows } from "../parts/Page";

const TITLE = "MQTT rules";
const KEY = "mqtt-rules";

/** What users, clients and everybody may do, as far as the node keeps it itself. */
export default function MqttRules() {
  const kept = useQuery({ queryKey: [KEY, "kept"], queryFn: keepsRules });
  const [params, setParams] = useParams();
  const mayEdit = mayChange(useStore(session)?.role ?? "viewer");
  if (kept.isError && !kept.data) return <Failed error={kept.error} retry={() => kept.refetch()} />;
  if (kept.data === undefined) return <Waiting />;
  if (!kept.data) {
    return (
      <Page title={TITLE}>
        <Panel>
          <Off what="MQTT rules" />
        </Panel>
      </Page>
    );
  }
  const tab = params.get("of") ?? "users";
  const tenant = params.get("tenant") ?? "";
  return (
    <Page
      title={TITLE}
      isFilling
      lead="those of the client are asked first, then of its user, then of everybody"
    >
      <Group justify="space-between" align="flex-end">
        <Tabs
          value={tab}
          onChange={(of) => setParams({ of: of === "users" ? "" : (of ?? ""), name: "" })}
        >
          <Tabs.List>
            <Tabs.Tab value="users">Users</Tabs.Tab>
            <Tabs.Tab value="clients">Clients</Tabs.Tab>
            <Tabs.Tab value="all">Everybody</Tabs.Tab>
          </Tabs.List>
        </Tabs>
        <TenantPick
          aria-label="Whose rules"
          value={tenant}
          onPick={(one) => setParams({ tenant: one })}
          w={150}
        />
      </Group>
      {tab === "all" && <RulesOfAll tenant={tenant} mayEdit={mayEdit} />}
      {tab === "users" && <RuleTable key="users" kind="users" tenant={tenant} mayEdit={mayEdit} />}
      {tab === "clients" && (
        <RuleTable key="clients" kind="clients" tenant={tenant} mayEdit={mayEdit} />
      )}
    </Page>
  );
}

function RulesOfAll({ tenant, mayEdit }: { tenant: string; mayEdit: boolean }) {
  const queries = useQueryClient();
  const rules = useQuery({
    queryKey: [KEY, "all", tenant],
    queryFn: () => rulesOfAll(tenant),
  });
  if (rules.isError && !rules.data)
    return <Failed error={rules.error} retry={() => rules.refetch()} />;
  const save = async (changed: AccountRule[]) => {
    await changeRulesOfAll(tenant, changed);
    await queries.invalidateQueries({ queryKey: [KEY, "all"] });
    tell("The rules for everybody hold now.");
  };
  return (
    <Panel title="The first rule that says something decides">
      {rules.data ? (
        <RuleEditor
          key={tenant}
          rules={rules.data}
          mayEdit={mayEdit}
          act="Save rules"
          save={save}
        />
      ) : (
        <WaitingRows rows={3} />
      )}
    </Panel>
  );
}
