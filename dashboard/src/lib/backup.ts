// A backup, before the node takes it: what is in it. The node checks it as a whole.

/** The version of the form that is known. */
const VERSION = 1;
/** Bytes that the node takes. */
const SIZE_MAX = 64 * 1024 * 1024;

/** What a backup says of itself, and how much is in it. */
export interface Contents {
  /** The node that it is of; empty where it does not say so. */
  node: string;
  /** When it was made; none where it does not say so. */
  madeAt: string | undefined;
  counts: [what: string, count: number][];
}

/** Looks into the text of a file; throws where it is no backup. */
export function contentsOf(text: string): Contents {
  const backup = parsed(text);
  const version: unknown = Reflect.get(backup, "version");
  if (version === undefined) throw new Error("This is no backup: it has no “version”.");
  if (version !== VERSION)
    throw new Error(
      `Backups of version ${JSON.stringify(version)} are not known, but of ${VERSION}.`,
    );
  const list = (name: string) => lengthOf(Reflect.get(backup, name), name);
  const people: unknown = Reflect.get(backup, "people") ?? {};
  const node: unknown = Reflect.get(backup, "node");
  const madeAt: unknown = Reflect.get(backup, "made_at");
  return {
    node: typeof node === "string" ? node : "",
    madeAt: typeof madeAt === "string" ? madeAt : undefined,
    counts: [
      ["Users of the API", sizeOf(people, "users")],
      ["API keys", sizeOf(people, "keys")],
      ["Changed keys of the configuration", list("configuration")],
      ["MQTT users", list("accounts")],
      ["Rules of single users and clients", list("rules")],
      ["Rules for everybody", list("rules_of_all")],
      ["Bans", list("bans")],
    ],
  };
}

/** What is wrong with a file before it is read; nothing for one that may be. */
export function fileFault(size: number): string | null {
  return size <= SIZE_MAX ? null : "This is no backup: it is larger than the node takes (64 MiB).";
}

function parsed(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("This is no backup: it is not JSON.");
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new Error("This is no backup: it is no object of JSON.");
}

function lengthOf(value: unknown, name: string): number {
  if (value === undefined) return 0;
  if (Array.isArray(value)) return value.length;
  throw new Error(`This is no backup: “${name}” is no list.`);
}

function sizeOf(people: unknown, name: string): number {
  const entries: unknown = Reflect.get(Object(people), name) ?? {};
  if (typeof entries === "object" && entries !== null) return Object.keys(entries).length;
  throw new Error(`This is no backup: “people.${name}” is no object.`);
}
