// The API of the node: typed by its description, with the token of the log-in.

import createClient, { type Middleware } from "openapi-fetch";
import { Store } from "../lib/store";
import type { components, paths } from "./schema";
import { end, session } from "./session";

type Schemas = components["schemas"];
export type Client = Schemas["Client"];
export type Subscription = Schemas["Subscription"];
export type Listener = Schemas["Listener"];
export type Alarm = Schemas["Alarm"];
export type NodeState = Schemas["NodeState"];
export type User = Schemas["User"];
export type ApiKey = Schemas["ApiKey"];
export type ApiKeyCreated = Schemas["ApiKeyCreated"];
export type Publication = Schemas["Publication"];
export type LiveTopics = Schemas["LiveTopics"];
export type LiveMessage = Schemas["LiveMessage"];
export type ClientEvent = Schemas["ClientEvent"];
export type RetainedMessage = Schemas["RetainedMessage"];
export type ClientMessage = Schemas["ClientMessage"];
export type Banned = Schemas["Banned"];
export type BanAs = Schemas["BanAs"];
export type AuditRecord = Schemas["AuditRecord"];
export type Receiver = Schemas["Receiver"];
export type Trace = Schemas["Trace"];
export type Sample = Schemas["Sample"];
export type PublishExplanation = Schemas["PublishAnswer"];
export type EffectiveConfig = Schemas["EffectiveConfig"];
export type ConfigChange = Schemas["ConfigChange"];
export type ConfigChanges = Schemas["ConfigChanges"];
export type ConfigVersion = Schemas["ConfigVersion"];
export type ConfigOutcome = Schemas["ConfigOutcome"];
export type MqttUser = Schemas["Account"];
export type NewMqttUser = Schemas["NewAccount"];
export type AccountRule = Schemas["AccountRule"];
export type Meta = Schemas["Meta"];

/** Since when the node has not answered, in milliseconds; none while it does. */
export const unreachableSince = new Store<number | undefined>(undefined);

/** What went wrong with a request. */
export class ApiFailure extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
  ) {
    super(message);
  }
}

const UNREACHABLE = "The node does not answer. It is tried again all the time.";

function authorized(request: Request): Request {
  const token = session.get()?.token;
  if (token) request.headers.set("Authorization", `Bearer ${token}`);
  return request;
}

/** Takes from an answer whether the node is there, and the log-in is good. */
function noted(request: Request, response: Response): Response {
  // A proxy in front answers so for a node that is not there.
  const isThere = ![502, 504].includes(response.status);
  unreachableSince.set(isThere ? undefined : (unreachableSince.get() ?? Date.now()));
  const shown = request.headers.get("Authorization");
  const isCurrent = shown === `Bearer ${session.get()?.token}`;
  if (response.status === 401 && isCurrent) end("Your log-in is over. Please log in again.");
  return response;
}

function unreachable(): ApiFailure {
  unreachableSince.set(unreachableSince.get() ?? Date.now());
  return new ApiFailure(UNREACHABLE, 0, "UNREACHABLE");
}

const guard: Middleware = {
  onRequest: ({ request }) => authorized(request),
  onResponse: ({ request, response }) => noted(request, response),
  onError: unreachable,
};

/** Asks the node. */
export const api = createClient<paths>();
api.use(guard);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** What was answered, or an `ApiFailure`. */
export async function answered<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (response.ok) return data as T; // Without a body there is nothing in it, and nothing is typed.
  throw failureOf(error, response.status);
}

/** Gets what the description of the API does not have: the answer as it comes, or an `ApiFailure`. */
export async function fetched(path: string): Promise<Response> {
  const request = authorized(new Request(path));
  const response = await fetch(request).catch(() => {
    throw unreachable();
  });
  if (noted(request, response).ok) return response;
  throw failureOf(await response.json().catch(() => undefined), response.status);
}

function failureOf(error: unknown, status: number): ApiFailure {
  const told = typeof error === "object" && error !== null ? error : {};
  const message: unknown = Reflect.get(told, "message");
  const code: unknown = Reflect.get(told, "code");
  const fallback = status >= 502 ? UNREACHABLE : `The node answered with status ${status}.`;
  return new ApiFailure(
    typeof message === "string" ? sentence(message) : fallback,
    status,
    typeof code === "string" ? code : "",
  );
}

/** The API writes for programs and people: small letter first, no full stop. */
export function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** What to show of an error of any kind. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
