// Numbers, sizes, times and durations as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** MQTT's "for ever", in seconds. */
export const NO_END = 4_294_967_295;

/** 12,345. */
export function count(value: number): string {
  return Number.isFinite(value) ? whole.format(value) : "–";
}

/** 12.3K from ten thousand on, whole before. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value);
}

/** 1.5 KiB. */
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let rest = Math.max(0, value);
  let unit = 0;
  while (rest >= 1024 && unit < units.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || rest >= 100 ? 0 : 1;
  return `${rest.toFixed(digits)} ${units[unit]}`;
}

/** 850 µs, 1.5 ms, 2.3 s: a short time in microseconds. */
export function micros(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value < 1000) return `${whole.format(value)} µs`;
  const [rest, unit] = value < 1e6 ? [value / 1000, "ms"] : [value / 1e6, "s"];
  return `${rest.toFixed(rest < 10 ? 1 : 0)} ${unit}`;
}

const STEPS: [seconds: number, name: string][] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "m"],
  [1, "s"],
];

/** 2d 3h, the two largest parts of a duration in milliseconds. */
export function duration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return "–";
  let rest = Math.max(0, Math.floor(milliseconds / 1000));
  const parts: string[] = [];
  for (const [seconds, name] of STEPS) {
    const times = Math.floor(rest / seconds);
    if (times > 0) parts.push(`${times}${name}`);
    else if (parts.length > 0) break;
    rest -= times * seconds;
    if (parts.length === 2) break;
  }
  return parts.length > 0 ? parts.join(" ") : "0s";
}

/** Seconds of MQTT, of which the largest number means for ever. */
export function lasting(seconds: number): string {
  return seconds >= NO_END ? "for ever" : duration(seconds * 1000);
}

/** How far a moment is from now: "in 5m 3s", "2h 1m ago". */
export function fromNow(moment: number, now: number): string {
  const distance = moment - now;
  if (Math.abs(distance) < 1000) return "now";
  return distance > 0 ? `in ${duration(distance)}` : `${duration(-distance)} ago`;
}

/** A moment with date and zone, to the second. */
export function absolute(moment: number): string {
  return new Date(moment).toLocaleString("sv-SE", { timeZoneName: "short" });
}

/** The moment of an API text; NaN where it is none. */
export function momentOf(text: string | null | undefined): number {
  return text ? Date.parse(text) : Number.NaN;
}

/** "3 clients", "1 client". */
export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** The name of a protocol level of CONNECT. */
export function protocol(level: number): string {
  return { 3: "3.1", 4: "3.1.1", 5: "5.0" }[level] ?? String(level);
}
