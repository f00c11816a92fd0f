// Topic names, filters, and the tree that grows as messages come.

/** Whether a filter may be subscribed to; otherwise what is wrong with it. */
export function filterFault(filter: string): string | undefined {
  if (filter === "") return "Say what to subscribe to, such as plant/+/temperature";
  if (new TextEncoder().encode(filter).length > 65_535) return "A filter has at most 65,535 bytes";
  if (filter.includes("\u0000")) return "A filter has no null character";
  const levels = filter.split("/");
  for (const [index, level] of levels.entries()) {
    if (level.includes("#") && (level !== "#" || index !== levels.length - 1)) {
      return "# stands alone at the end, as in plant/#";
    }
    if (level.includes("+") && level !== "+")
      return "+ stands for a whole level, as in plant/+/state";
  }
  return undefined;
}

/** Whether a topic may be published to; otherwise what is wrong with it. */
export function topicFault(topic: string): string | undefined {
  if (topic === "") return "Say where to publish";
  if (/[#+]/.test(topic)) return "A topic has no wildcard: # and + are for subscriptions";
  if (topic.includes("\u0000")) return "A topic has no null character";
  if (new TextEncoder().encode(topic).length > 65_535) return "A topic has at most 65,535 bytes";
  return undefined;
}

/** A message as the page keeps it. */
export interface Message {
  number: number;
  topic: string;
  payload: Uint8Array;
  qos: number;
  retain: boolean;
  /** When it came, in milliseconds; none for one that was there before. */
  at?: number;
  contentType?: string;
  /** Its bytes, where the payload is only the beginning. */
  size?: number;
  responseTopic?: string;
  userProperties?: [name: string, value: string][];
}

/** A level of the tree, with the last message of its topic if there was one. */
export interface Level {
  name: string;
  path: string;
  children: Map<string, Level>;
  messages: number;
  /** Messages to this topic and all below it. */
  total: number;
  last?: Message;
  /** Whether a retained message was seen for it. */
  retained: boolean;
  /** Messages a second here and below, as of the last `tick`. */
  rate: number;
  counted: number;
}

/** Topics that a tree keeps at most: what is beyond is counted, not kept. */
export const TOPICS_MAX = 20_000;
const LEVELS_MAX = 64;

function level(name: string, path: string): Level {
  const fresh = { name, path, children: new Map(), messages: 0, total: 0 };
  return { ...fresh, retained: false, rate: 0, counted: 0 };
}

/** The tree of the topics that were seen. */
export class TopicTree {
  root = level("", "");
  size = 0;
  left = 0;

  /** Takes a message in, the last of so many. */
  add(message: Message, times = 1) {
    const path = this.grow(message.topic);
    const last = path.at(-1);
    if (!last) {
      this.left += times;
      return;
    }
    for (const step of path) step.total += times;
    this.root.total += times;
    last.messages += times;
    last.last = message;
    // An empty payload with the mark takes what was retained away.
    if (message.retain) last.retained = message.payload.length > 0;
  }

  private grow(topic: string): Level[] {
    const names = topic.split("/");
    const found = this.follow(names);
    if (names.length > LEVELS_MAX) return [];
    if (found.length < names.length && this.size + names.length - found.length > TOPICS_MAX)
      return [];
    let at = found.at(-1) ?? this.root;
    for (let index = found.length; index < names.length; index += 1) {
      const name = names[index] ?? "";
      const next = level(name, names.slice(0, index + 1).join("/"));
      at.children.set(name, next);
      this.size += 1;
      found.push(next);
      at = next;
    }
    return found;
  }

  private follow(names: string[]): Level[] {
    const found: Level[] = [];
    let at = this.root;
    for (const name of names) {
      const next = at.children.get(name);
      if (!next) break;
      found.push(next);
      at = next;
    }
    return found;
  }

  /** The level of a topic, if it was seen. */
  find(topic: string): Level | undefined {
    const names = topic.split("/");
    return this.follow(names)[names.length - 1];
  }

  /** Counts rates anew; `seconds` have gone by since the last time. */
  tick(seconds: number) {
    const waiting = [this.root];
    for (let at = waiting.pop(); at; at = waiting.pop()) {
      at.rate = seconds > 0 ? (at.total - at.counted) / seconds : 0;
      at.counted = at.total;
      waiting.push(...at.children.values());
    }
  }

  /** The rows that are to be seen: children of what is open, by name; with `wanted` all that hold it. */
  rows(open: ReadonlySet<string>, wanted = ""): { level: Level; depth: number }[] {
    const rows: { level: Level; depth: number }[] = [];
    const needle = wanted.toLowerCase();
    const kept = needle ? this.holding(needle) : undefined;
    const waiting = sorted(this.root, 0, kept).reverse();
    for (let at = waiting.pop(); at; at = waiting.pop()) {
      rows.push(at);
      if (open.has(at.level.path) || kept)
        waiting.push(...sorted(at.level, at.depth + 1, kept).reverse());
    }
    return rows;
  }

  /** Levels whose path holds the text, and those above them. */
  private holding(needle: string): Set<Level> {
    const kept = new Set<Level>();
    const walk: { level: Level; above: Level[] }[] = [{ level: this.root, above: [] }];
    for (let at = walk.pop(); at; at = walk.pop()) {
      if (at.level !== this.root && at.level.path.toLowerCase().includes(needle)) {
        kept.add(at.level);
        for (const one of at.above) kept.add(one);
      }
      const above = [...at.above, at.level];
      for (const child of at.level.children.values()) walk.push({ level: child, above });
    }
    return kept;
  }
}

function sorted(of: Level, depth: number, kept?: Set<Level>): { level: Level; depth: number }[] {
  const children = [...of.children.values()].filter((child) => !kept || kept.has(child));
  children.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  return children.map((child) => ({ level: child, depth }));
}
