// Sizes as the configuration writes them.

const UNITS: Record<string, number> = { k: 1, m: 2, g: 3, t: 4 };

/** The bytes of `"64KiB"`, `"1MB"` or a number; NaN where it is no size. */
export function sizeOf(value: unknown): number {
  if (typeof value === "number") return value;
  const found = /^\s*(\d+)\s*(?:([KMGT]?)(i?)B)?\s*$/i.exec(typeof value === "string" ? value : "");
  if (!found) return Number.NaN;
  const [, digits, letter = "", isBinary] = found;
  const power = letter === "" ? 0 : (UNITS[letter.toLowerCase()] ?? 0);
  return Number(digits) * (isBinary ? 1024 : 1000) ** power;
}
