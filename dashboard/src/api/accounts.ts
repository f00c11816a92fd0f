// Users and rules of MQTT clients that the node keeps itself, and that are changed while it runs.

import { ApiFailure, asked, type Meta } from "./client";

/** An authenticator of the node. */
export interface Authenticator {
  id: string;
  mechanism: string;
  backend: string;
  enable: boolean;
}

/** Who is asked what somebody may do. */
interface Source {
  type: string;
  enable: boolean;
}

/** Somebody who may connect. */
export interface MqttUser {
  user_id: string;
  is_superuser: boolean;
  tenant?: string | null;
  /** Whether the configuration has a user of that name, who comes first. */
  is_hidden?: boolean;
}

/** A user who is to be. */
export interface NewMqttUser {
  user_id: string;
  password: string;
  is_superuser: boolean;
  tenant: string | null;
}

/** What a user is to be; without a password it stays as it is. */
export interface UserChange {
  password?: string;
  is_superuser: boolean;
}

/** What somebody may do, or not. */
export interface MqttRule {
  permission: "allow" | "deny";
  action: "publish" | "subscribe" | "all";
  topic: string;
  /** Of messages and subscriptions of these qualities of service; of all where it is left out. */
  qos?: number[];
  /** Of publishing: retained messages, others, or all. */
  retain?: "all" | boolean;
}

/** By what somebody is known. */
export type RuleKind = "users" | "clients";

/** The rules of one user or client; without a tenant of one that has none. */
export interface Ruled {
  name: string;
  tenant: string;
  rules: MqttRule[];
}

interface Page<T> {
  data: T[];
  meta: Meta;
}

const API = "/api/v5";
/** The users that the node keeps: EMQX's name for them. */
const OWN_USERS = "password_based:built_in_database";
const OWN_RULES = "built_in_database";
const USERS = `${API}/authentication/${encodeURIComponent(OWN_USERS)}/users`;
const RULES = `${API}/authorization/sources/${OWN_RULES}/rules`;
const LIMIT = 100;

/** By what the rules name whom they are about. */
const NAMES = { users: "username", clients: "clientid" } as const;

/** The query of an address, without what is not said. */
function query(words: Record<string, string | number | undefined>): string {
  const said = Object.entries(words).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(said.map(([name, value]) => [name, String(value)])).toString();
  return text && `?${text}`;
}

async function get<T>(path: string): Promise<T> {
  const answer: T = await (await asked("GET", path)).json();
  return answer;
}

/** What is there, or nothing where the node knows no such thing. */
async function getIfAny<T>(path: string): Promise<T | undefined> {
  try {
    return await get<T>(path);
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 404) return undefined;
    throw error;
  }
}

/** Whether the node keeps users itself. */
export async function keepsUsers(): Promise<boolean> {
  const all = (await getIfAny<Authenticator[]>(`${API}/authentication`)) ?? [];
  return all.some(({ id, enable }) => id === OWN_USERS && enable);
}

/** Whether the node keeps rules itself. */
export async function keepsRules(): Promise<boolean> {
  const found = await getIfAny<{ sources: Source[] }>(`${API}/authorization/sources`);
  return found?.sources.some(({ type, enable }) => type === OWN_RULES && enable) ?? false;
}

/** What users are looked for by. */
export interface UserFilter {
  like_user_id?: string;
  is_superuser?: string;
  tenant?: string;
}

/** A page of the users. */
export function listUsers(page: number, filter: UserFilter): Promise<Page<MqttUser>> {
  return get(`${USERS}${query({ page, limit: LIMIT, ...filter })}`);
}

/** Adds a user. */
export async function addUser(user: NewMqttUser): Promise<void> {
  await asked("POST", USERS, user);
}

const userPath = ({ user_id, tenant }: MqttUser) =>
  `${USERS}/${encodeURIComponent(user_id)}${query({ tenant: tenant ?? undefined })}`;

/** Changes a user. */
export async function changeUser(user: MqttUser, change: UserChange): Promise<void> {
  await asked("PUT", userPath(user), change);
}

/** Deletes a user. */
export async function deleteUser(user: MqttUser): Promise<void> {
  await asked("DELETE", userPath(user));
}

/** Which rules are looked for. */
export interface RuleFilter {
  like: string;
  tenant: string;
}

/** A page of those who have rules of their own. */
export async function listRules(
  kind: RuleKind,
  page: number,
  { like, tenant }: RuleFilter,
): Promise<Page<Ruled>> {
  const name = NAMES[kind];
  const words = query({ page, limit: LIMIT, [`like_${name}`]: like, tenant });
  const { data, meta } = await get<Page<Record<string, unknown> & { rules: MqttRule[] }>>(
    `${RULES}/${kind}${words}`,
  );
  return { data: data.map((one) => ({ name: String(one[name]), tenant, rules: one.rules })), meta };
}

const bodyOf = (kind: RuleKind, { name, tenant, rules }: Ruled) => ({
  [NAMES[kind]]: name,
  tenant: tenant || null,
  rules,
});

const rulesPath = (kind: RuleKind, { name, tenant }: Ruled) =>
  `${RULES}/${kind}/${encodeURIComponent(name)}${query({ tenant })}`;

/** Gives rules to somebody who has none. */
export async function addRules(kind: RuleKind, ruled: Ruled): Promise<void> {
  await asked("POST", `${RULES}/${kind}`, [bodyOf(kind, ruled)]);
}

/** Replaces all rules of somebody. */
export async function changeRules(kind: RuleKind, ruled: Ruled): Promise<void> {
  await asked("PUT", rulesPath(kind, ruled), bodyOf(kind, ruled));
}

/** Takes all rules of somebody back. */
export async function deleteRules(kind: RuleKind, ruled: Ruled): Promise<void> {
  await asked("DELETE", rulesPath(kind, ruled));
}

/** The rules for everybody. */
export async function rulesOfAll(tenant: string): Promise<MqttRule[]> {
  return (await get<{ rules: MqttRule[] }>(`${RULES}/all${query({ tenant })}`)).rules;
}

/** Replaces the rules for everybody. */
export async function changeRulesOfAll(tenant: string, rules: MqttRule[]): Promise<void> {
  await asked("POST", `${RULES}/all`, { tenant: tenant || null, rules });
}
