// What is in a payload. Payloads come from strangers: nothing here is ever made into a page.

import { decode as decodeMessagePack } from "@msgpack/msgpack";
import { decode as decodeCbor } from "cborg";

/** How a payload can be read. */
export type Format = "json" | "text" | "cbor" | "msgpack" | "image" | "hex";

/** A payload that was read. */
export interface Reading {
  format: Format;
  /** What it says, as text; empty for an image. */
  text: string;
  /** The value, where the format has one. */
  value?: unknown;
  /** The kind of an image, one that browsers show without running anything. */
  mediaType?: string;
}

/** What is read of one payload at most, so that a large one does not stop the page. */
export const READ_MAX = 256 * 1024;
const HEX_MAX = 4096;
const DEPTH_MAX = 32;

const IMAGES: [mediaType: string, matches: (bytes: Uint8Array) => boolean][] = [
  ["image/png", (bytes) => starts(bytes, 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])],
  ["image/jpeg", (bytes) => starts(bytes, 0, [0xff, 0xd8, 0xff])],
  ["image/gif", (bytes) => starts(bytes, 0, [0x47, 0x49, 0x46, 0x38])],
  [
    "image/webp",
    (bytes) =>
      starts(bytes, 0, [0x52, 0x49, 0x46, 0x46]) && starts(bytes, 8, [0x57, 0x45, 0x42, 0x50]),
  ],
];

function starts(bytes: Uint8Array, at: number, wanted: number[]): boolean {
  return wanted.every((byte, index) => bytes[at + index] === byte);
}

/** The media type of an image that may be shown; none for everything else, SVG included. */
export function imageType(bytes: Uint8Array): string | undefined {
  return IMAGES.find(([, matches]) => matches(bytes))?.[0];
}

/** The format that a payload most likely has. */
export function detect(bytes: Uint8Array): Format {
  if (imageType(bytes)) return "image";
  const text = asText(bytes);
  if (text === undefined)
    return looksLikeMap(bytes, "cbor") ?? looksLikeMap(bytes, "msgpack") ?? "hex";
  return /^\s*[[{]/.test(text) && read(bytes, "json") ? "json" : "text";
}

/** Binary formats are guessed only where a whole map or list comes out: any byte is a number in both. */
function looksLikeMap(bytes: Uint8Array, format: Format): Format | undefined {
  const value = read(bytes, format)?.value;
  return typeof value === "object" && value !== null ? format : undefined;
}

/** Reads a payload in a format; none where it is not of that format. */
export function read(bytes: Uint8Array, format: Format): Reading | undefined {
  if (bytes.length > READ_MAX && format !== "hex" && format !== "image") return undefined;
  try {
    return READERS[format](bytes);
  } catch {
    return undefined; // The decoders throw at what they do not understand.
  }
}

const READERS: Record<Format, (bytes: Uint8Array) => Reading | undefined> = {
  json: (bytes) => {
    const text = asText(bytes);
    return text === undefined ? undefined : written("json", JSON.parse(text));
  },
  text: (bytes) => {
    const text = asText(bytes);
    return text === undefined ? undefined : { format: "text", text, value: asNumber(text) };
  },
  cbor: (bytes) => written("cbor", decodeCbor(bytes, { useMaps: false, allowBigInt: true })),
  msgpack: (bytes) => written("msgpack", decodeMessagePack(bytes)),
  image: (bytes) => {
    const mediaType = imageType(bytes);
    return mediaType ? { format: "image", text: "", mediaType } : undefined;
  },
  hex: (bytes) => ({ format: "hex", text: hex(bytes) }),
};

function written(format: Format, value: unknown): Reading {
  return { format, value, text: JSON.stringify(value, plainly, 2) ?? String(value) };
}

/** Values that JSON has not, as text. */
function plainly(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array)
    return `${value.length} bytes: ${hexDigits(value.subarray(0, 32))}`;
  return value;
}

/** The text, where the bytes are UTF-8 without control characters. */
export function asText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what tells text from binary
    return /[\u0000-\u0008\u000e-\u001f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function asNumber(text: string): number | undefined {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function hexDigits(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** Rows of offset, sixteen bytes, and those that are printable. */
export function hex(bytes: Uint8Array): string {
  const rows: string[] = [];
  const end = Math.min(bytes.length, HEX_MAX);
  for (let at = 0; at < end; at += 16) {
    const row = bytes.subarray(at, Math.min(at + 16, end));
    const seen = Array.from(row, (byte) =>
      byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·",
    );
    rows.push(
      `${at.toString(16).padStart(6, "0")}  ${hexDigits(row).padEnd(47)}  ${seen.join("")}`,
    );
  }
  if (bytes.length > end) rows.push(`… ${bytes.length - end} more bytes`);
  return rows.join("\n");
}

/** Paths of the numbers in a value, such as `motor.temperature` or `axes[2]`, with what they are. */
export function numbers(value: unknown, limit = 64): Map<string, number> {
  const found = new Map<string, number>();
  collect(value, "", 0, found, limit);
  return found;
}

function collect(
  value: unknown,
  path: string,
  depth: number,
  found: Map<string, number>,
  limit: number,
) {
  if (found.size >= limit || depth > DEPTH_MAX) return;
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number === "number") {
    if (Number.isFinite(number)) found.set(path || "value", number);
    return;
  }
  for (const [step, inner] of partsOf(value, path).slice(0, limit)) {
    collect(inner, step, depth + 1, found, limit);
  }
}

/** What stands in a value, with the paths that lead there. */
function partsOf(value: unknown, path: string): [path: string, inner: unknown][] {
  if (Array.isArray(value)) return value.map((inner, index) => [`${path}[${index}]`, inner]);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return [];
  return Object.entries(value).map(([name, inner]) => [path ? `${path}.${name}` : name, inner]);
}

/** One line about a payload, for lists. */
export function preview(bytes: Uint8Array, length = 120): string {
  if (bytes.length === 0) return "(empty)";
  const mediaType = imageType(bytes);
  if (mediaType) return `${mediaType}, ${bytes.length} bytes`;
  const head = bytes.subarray(0, length * 4);
  // A cut may fall into a character, whose beginning is left out then.
  for (let cut = 0; cut < 4 && cut < head.length; cut += 1) {
    const text = asText(head.subarray(0, head.length - cut));
    if (text !== undefined) {
      const line = text.replace(/\s+/g, " ");
      return line.length > length ? `${line.slice(0, length)}…` : line;
    }
    if (head.length === bytes.length) break;
  }
  return `${bytes.length} bytes: ${hexDigits(bytes.subarray(0, 16))}${bytes.length > 16 ? " …" : ""}`;
}

/** The bytes of hexadecimal digits, in which space may stand; none where it is something else. */
export function fromHex(text: string): Uint8Array | undefined {
  const digits = text.replace(/\s+/g, "");
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** The bytes of a payload as the API shows it. */
export function shownBytes(
  payload: string | null | undefined,
  encoding: "plain" | "base64",
): Uint8Array {
  if (!payload) return new Uint8Array();
  if (encoding === "plain") return new TextEncoder().encode(payload);
  return Uint8Array.from(atob(payload), (one) => one.charCodeAt(0));
}

/** Base64 of bytes, with padding. */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
