// The keys there are, with what they mean and may be: from the schema of the configuration, which is in the pages.

import described from "../../../docs/config/plexus.schema.json";
import { isTable } from "./values";

/** A part of a JSON Schema, as far as it is looked at. */
interface Part {
  $ref?: string;
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  properties?: Record<string, Part>;
  anyOf?: Part[];
  oneOf?: Part[];
}

/** How a value is given: a switch, a number, one of several words, a text, or JSON. */
export type InputKind = "flag" | "number" | "choice" | "text" | "data";

/** One of the words that a key may have. */
export interface Choice {
  value: string;
  about: string;
}

/** A key of the configuration. */
export interface Spec {
  path: string[];
  /** The path as one text: `mqtt.max_inflight`. */
  key: string;
  about: string;
  kind: InputKind;
  choices: Choice[];
  minimum?: number | undefined;
  maximum?: number | undefined;
  /** What kind of text it is: `duration`, `size`. */
  title?: string | undefined;
  /** What holds where nobody says anything; none where it is left out then. */
  fallback: unknown;
}

const schema = described as unknown as Part & { $defs: Record<string, Part> };

/** The text of a path; parts that could be misread stand in quotes. */
export function keyOf(path: readonly string[]): string {
  return path
    .map((part) => (/^[A-Za-z0-9_-]+$/.test(part) ? part : JSON.stringify(part)))
    .join(".");
}

/** The part itself: what it refers to, with what is said beside, and without "or null". */
function resolved(part: Part): Part {
  if (part.$ref) {
    const { $ref, ...rest } = part;
    return resolved({ ...schema.$defs[$ref.replace("#/$defs/", "")], ...rest });
  }
  const others = part.anyOf?.filter((one) => one.type !== "null");
  const [only] = others ?? [];
  if (!only || others?.length !== 1) return part;
  const { anyOf, ...rest } = part;
  return resolved({ ...only, ...rest });
}

function choicesOf(part: Part): Choice[] {
  const words = part.oneOf ?? part.enum?.map((value): Part => ({ const: value }));
  if (!words?.every((word) => typeof word.const === "string")) return [];
  return words.map((word) => ({ value: String(word.const), about: word.description ?? "" }));
}

function kindOf(part: Part, choices: Choice[]): InputKind {
  if (choices.length > 0) return "choice";
  const types = [part.type ?? []].flat().filter((type) => type !== "null");
  if (types.includes("boolean")) return "flag";
  if (types.includes("integer") || types.includes("number")) return "number";
  if (types.includes("array") || types.includes("object")) return "data";
  // A size is a number or a text, a rate a text or "off": all of them can be written as text.
  return "text";
}

function walk(part: Part, path: string[]): Spec[] {
  const found = resolved(part);
  if (found.properties) {
    const inside = Object.entries(found.properties);
    return inside.flatMap(([name, one]) => walk(one, [...path, name]));
  }
  const choices = choicesOf(found);
  return [
    {
      path,
      key: keyOf(path),
      about: (found.description ?? "").replaceAll("\n", " "),
      kind: kindOf(found, choices),
      choices,
      minimum: found.minimum,
      maximum: found.maximum,
      title: found.title,
      fallback: found.default,
    },
  ];
}

/** All keys, by their sections. Lists, and tables of names, are one key each. */
export const SPECS: readonly Spec[] = walk(schema, []);

/** What a section is about. */
export function sectionAbout(section: string): string {
  const part = schema.properties?.[section];
  return part ? (resolved(part).description ?? "").replaceAll("\n", " ") : "";
}

/** A key that the schema does not know, as its value looks: of a node that is newer than the pages. */
function unknownSpec(path: string[], value: unknown): Spec {
  const kinds: Partial<Record<string, InputKind>> = {
    boolean: "flag",
    number: "number",
    string: "text",
  };
  const kind = kinds[typeof value] ?? "data";
  return { path, key: keyOf(path), about: "", kind, choices: [], fallback: undefined };
}

const isBelow = (path: readonly string[], above: readonly string[]) =>
  path.length > above.length && above.every((part, index) => path[index] === part);

/** The keys of the schema, and those that only the configuration has. */
export function specsOf(config: unknown): Spec[] {
  const known = new Set(SPECS.map((spec) => spec.key));
  const more: Spec[] = [];
  const look = (value: unknown, path: string[]) => {
    if (known.has(keyOf(path))) return;
    if (isTable(value) && SPECS.some((spec) => isBelow(spec.path, path)))
      for (const [name, one] of Object.entries(value)) look(one, [...path, name]);
    else if (path.length > 0) more.push(unknownSpec(path, value));
  };
  look(config, []);
  return [...SPECS, ...more];
}
