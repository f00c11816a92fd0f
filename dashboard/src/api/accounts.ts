// Users and rules of MQTT clients that the node keeps itself, and that are changed while it runs.

import { type AccountRule, answered, api, type MqttUser, type NewMqttUser } from "./client";

/** By what somebody is known. */
export type RuleKind = "users" | "clients";

/** The rules of one user or client; the tenant is empty of one that has none. */
export interface Ruled {
  name: string;
  tenant: string;
  rules: AccountRule[];
}

/** The users that the node keeps: EMQX's name for them. */
const id = "password_based:built_in_database";
const OWN_RULES = "built_in_database";
const limit = 100;

/** By what the rules name whom they are about, and how they are looked for. */
const NAMES = {
  users: { name: "username", like: "like_username" },
  clients: { name: "clientid", like: "like_clientid" },
} as const;

const ofTenant = (tenant: string | null | undefined) => (tenant ? { tenant } : {});

/** Whether the node keeps users itself. */
export async function keepsUsers(): Promise<boolean> {
  const all = await answered(api.GET("/api/v5/authentication"));
  return all.some((one) => one.id === id && one.enable);
}

/** Whether the node keeps rules itself. */
export async function keepsRules(): Promise<boolean> {
  const { sources } = await answered(api.GET("/api/v5/authorization/sources"));
  return sources.some(({ type, enable }) => type === OWN_RULES && enable);
}

/** What users are looked for by; of what is empty all are meant, but of tenants none. */
export interface UserFilter {
  like: string;
  isSuperuser: "" | "true" | "false";
  tenant: string;
}

/** A page of the users. */
export function listUsers(page: number, { like, isSuperuser, tenant }: UserFilter) {
  const query = {
    page,
    limit,
    ...(like ? { like_user_id: like } : {}),
    ...(isSuperuser ? { is_superuser: isSuperuser === "true" } : {}),
    ...ofTenant(tenant),
  };
  return answered(
    api.GET("/api/v5/authentication/{id}/users", { params: { path: { id }, query } }),
  );
}

/** Adds a user. */
export function addUser(body: NewMqttUser) {
  return answered(
    api.POST("/api/v5/authentication/{id}/users", { params: { path: { id } }, body }),
  );
}

const userParams = ({ user_id, tenant }: MqttUser) => ({
  path: { id, user_id },
  query: ofTenant(tenant),
});

/** Changes a user; without a password it stays as it is. */
export function changeUser(user: MqttUser, body: { password?: string; is_superuser: boolean }) {
  return answered(
    api.PUT("/api/v5/authentication/{id}/users/{user_id}", { params: userParams(user), body }),
  );
}

/** Deletes a user. */
export function deleteUser(user: MqttUser) {
  return answered(
    api.DELETE("/api/v5/authentication/{id}/users/{user_id}", { params: userParams(user) }),
  );
}

/** Which rules are looked for. */
export interface RuleFilter {
  like: string;
  tenant: string;
}

/** A page of those who have rules of their own. */
export async function listRules(whom: RuleKind, page: number, { like, tenant }: RuleFilter) {
  const names = NAMES[whom];
  const query = { page, limit, ...(like ? { [names.like]: like } : {}), ...ofTenant(tenant) };
  const { data, meta } = await answered(
    api.GET("/api/v5/authorization/sources/built_in_database/rules/{whom}", {
      params: { path: { whom }, query },
    }),
  );
  const rows = data.map(
    (one): Ruled => ({
      name: one[names.name] ?? "",
      tenant: one.tenant ?? "",
      rules: one.rules,
    }),
  );
  return { data: rows, meta };
}

const bodyOf = (whom: RuleKind, { name, tenant, rules }: Ruled) => ({
  [NAMES[whom].name]: name,
  ...ofTenant(tenant),
  rules,
});

const rulesParams = (whom: RuleKind, { name, tenant }: Ruled) => ({
  path: { whom, name },
  query: ofTenant(tenant),
});

/** Gives rules to somebody who has none. */
export function addRules(whom: RuleKind, ruled: Ruled) {
  return answered(
    api.POST("/api/v5/authorization/sources/built_in_database/rules/{whom}", {
      params: { path: { whom } },
      body: [bodyOf(whom, ruled)],
    }),
  );
}

/** Replaces all rules of somebody. */
export function changeRules(whom: RuleKind, ruled: Ruled) {
  return answered(
    api.PUT("/api/v5/authorization/sources/built_in_database/rules/{whom}/{name}", {
      params: rulesParams(whom, ruled),
      body: bodyOf(whom, ruled),
    }),
  );
}

/** Takes all rules of somebody back. */
export function deleteRules(whom: RuleKind, ruled: Ruled) {
  return answered(
    api.DELETE("/api/v5/authorization/sources/built_in_database/rules/{whom}/{name}", {
      params: rulesParams(whom, ruled),
    }),
  );
}

const ALL = "/api/v5/authorization/sources/built_in_database/rules/all";

/** The rules for everybody, of a tenant or of none. */
export async function rulesOfAll(tenant: string): Promise<AccountRule[]> {
  return (await answered(api.GET(ALL, { params: { query: ofTenant(tenant) } }))).rules;
}

/** Replaces the rules for everybody. */
export function changeRulesOfAll(tenant: string, rules: AccountRule[]) {
  return answered(api.POST(ALL, { body: { ...ofTenant(tenant), rules } }));
}
