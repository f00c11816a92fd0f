// Who is logged in, for as long as the tab is open: sessionStorage ends with it.

import { Store } from "../lib/store";
import type { components } from "./schema";

export type Role = components["schemas"]["Role"];

/** A log-in. */
export interface Session {
  username: string;
  token: string;
  role: Role;
  version: string;
  /** Whether the log-in has needed a second factor; known for as long as the tab is the one that changes it. */
  hasMfa?: boolean;
}

const KEY = "plexus-session";

/** The log-in of this tab; none before and after it. */
export const session = new Store<Session | undefined>(kept());
/** Why the last log-in ended, where it was not the user who ended it. */
export const ending = new Store<string | undefined>(undefined);

function kept(): Session | undefined {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    return isSession(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

function isSession(value: unknown): value is Session {
  const names = ["username", "token", "role", "version"];
  return (
    typeof value === "object" &&
    value !== null &&
    names.every((name) => typeof Reflect.get(value, name) === "string")
  );
}

/** Begins a log-in. */
export function begin(fresh: Session) {
  remember(fresh);
  ending.set(undefined);
  session.set(fresh);
}

/** Keeps whether the next log-in needs a second factor. */
export function noteMfa(hasMfa: boolean) {
  const current = session.get();
  if (!current) return;
  const fresh = { ...current, hasMfa };
  remember(fresh);
  session.set(fresh);
}

/** Ends it; `why` is told on the page of the log-in. */
export function end(why?: string) {
  remember(undefined);
  ending.set(why);
  session.set(undefined);
}

function remember(fresh: Session | undefined) {
  try {
    if (fresh) sessionStorage.setItem(KEY, JSON.stringify(fresh));
    else sessionStorage.removeItem(KEY);
  } catch {
    // A browser that keeps nothing asks for the password again when the page is loaded anew.
  }
}

/** Whether a role may see what goes on. */
export const maySee = (role: Role): boolean => role !== "publisher";
/** Whether a role may change what there is. */
export const mayChange = (role: Role): boolean => role === "administrator";
/** Whether a role may publish. */
export const mayPublish = (role: Role): boolean => role !== "viewer";
