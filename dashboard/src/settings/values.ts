// Values of the configuration: where they come from, and how they are changed.

import type { ConfigChange, ConfigVersion } from "../api/client";

type Table = Record<string, unknown>;

/** Whether a value is a table. */
export const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether two values are the same, whatever the order of names in their tables. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((one, index) => isSame(one, b[index]));
  if (!isTable(a) || !isTable(b)) return a === b;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => isSame(a[name], b[name]));
}

/** What stands at a path; nothing where there is nothing. */
export function valueAt(config: unknown, path: readonly string[]): unknown {
  let found = config;
  for (const part of path) {
    if (!isTable(found) || !Object.hasOwn(found, part)) return undefined;
    found = found[part];
  }
  return found;
}

/** Whether one key is the other, or within it. */
export function isWithin(key: string, outer: string): boolean {
  return key === outer || key.startsWith(`${outer}.`);
}

/** Whether any of the keys has to do with that one. */
export function touches(keys: readonly string[], key: string): boolean {
  return keys.some((one) => isWithin(one, key) || isWithin(key, one));
}

/** Who has said what a key is. */
export interface Source {
  kind: "default" | "file" | "changed" | "environment" | "option";
  /** Where, in the words of the node. */
  words: string;
}

const VARIABLE = "environment variable ";
const OPTION = "option ";
/** Where the node keeps what was changed. */
const LAYER = /(^|\/)config\/layer\.toml:\d+$/;

/** Where the value of a key comes from; of a list or table where the first of it does. */
export function sourceOf(origins: Record<string, string>, key: string): Source {
  const words =
    origins[key] ?? Object.entries(origins).find(([name]) => name.startsWith(`${key}.`))?.[1];
  if (words === undefined) return { kind: "default", words: "" };
  if (words.startsWith(VARIABLE))
    return { kind: "environment", words: words.slice(VARIABLE.length) };
  if (words.startsWith(OPTION)) return { kind: "option", words: words.slice(OPTION.length) };
  return { kind: LAYER.test(words) ? "changed" : "file", words };
}

/** A value on one line. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return "not set";
  if (Array.isArray(value) && value.some((one) => isTable(one)))
    return `${value.length}: ${value.map(nameIn).join(", ")}`;
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(shown).join(", ");
  if (isTable(value)) {
    const names = Object.keys(value);
    return names.length === 0 ? "none" : names.join(", ");
  }
  return value === "" ? "empty" : String(value);
}

/** What an element of a list of tables is called. */
function nameIn(element: unknown): string {
  if (!isTable(element)) return shown(element);
  const told = element.name ?? element.url ?? element.user ?? element.client ?? element.topics;
  return told === undefined ? "…" : shown(told);
}

/** A value as lines of JSON, for a field or a difference; names in their order, as the node has them. */
export function written(value: unknown): string {
  const ordered = (_: string, one: unknown) =>
    isTable(one) ? Object.fromEntries(Object.entries(one).sort(byName)) : one;
  return value === undefined ? "" : JSON.stringify(value, ordered, 2);
}

const byName = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1);

/** What makes the second table of the first (RFC 7396). Anything but tables is replaced as a whole. */
export function mergePatch(from: unknown, to: unknown): unknown {
  if (!isTable(from) || !isTable(to)) return to;
  const patch: Table = {};
  for (const name of Object.keys(from)) if (!Object.hasOwn(to, name)) patch[name] = null;
  for (const [name, value] of Object.entries(to)) {
    if (!isSame(from[name], value)) patch[name] = mergePatch(from[name], value);
  }
  return patch;
}

/** What stands in the place of a secret. */
const MASK = "***";

/** Whether a list holds secrets that are not shown: it is replaced as a whole, and they have to be given anew. */
export function hidesSecrets(value: unknown): boolean {
  const holds = (one: unknown): boolean =>
    one === MASK || (typeof one === "object" && one !== null && Object.values(one).some(holds));
  return Array.isArray(value) && holds(value);
}

/** A key with its value of now, and the one that it is to have; none has the file hold again. */
export interface Edit {
  path: string[];
  key: string;
  seen: unknown;
  value: unknown;
}

/** All edits as one merge patch. */
export function patchOf(edits: readonly Edit[]): Table {
  const patch: Table = {};
  for (const { path, seen, value } of edits) {
    let place = patch;
    for (const part of path.slice(0, -1)) {
      const inside = place[part];
      const next = isTable(inside) ? inside : {};
      place[part] = next;
      place = next;
    }
    place[path.at(-1) ?? ""] = value === undefined ? null : mergePatch(seen, value);
  }
  return patch;
}

/** Mistakes that the node tells, by the keys that they are about; one without a key stands under "". */
export function faultsOf(message: string): Map<string, string> {
  const faults = new Map<string, string>();
  const parts = message.split(/(?:^|; )the change of ((?:"[^"]*"|[^:])+): /i);
  const before = parts[0]?.trim();
  if (before) faults.set("", before);
  for (let index = 1; index < parts.length; index += 2) {
    const key = parts[index] ?? "";
    const words = (parts[index + 1] ?? "").replace(`\`${key}\`: `, "").replace(/\.$/, "");
    faults.set(key, words.charAt(0).toUpperCase() + words.slice(1));
  }
  return faults;
}

/** What a key would be in an earlier version. */
export type Earlier = { kind: "file"; value: unknown } | { kind: "unknown" };

/** What can be told of a key in an earlier version: the file's value where nobody had changed it by then. */
export function earlier(
  key: string,
  version: number,
  changes: readonly ConfigChange[],
  history: readonly ConfigVersion[],
): Earlier {
  const until = history.filter((one) => one.version > 0 && one.version <= version);
  const isWhole = until.length === version;
  const change = changes.find((one) => one.key === key);
  if (!change || !isWhole || until.some((one) => touches(one.keys, key)))
    return { kind: "unknown" };
  return { kind: "file", value: change.of_file };
}
