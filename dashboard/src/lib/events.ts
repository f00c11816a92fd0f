// Server-sent events, read by `fetch`: the browser's own reader cannot show a token.

/** An event of a stream. */
export interface StreamEvent {
  name: string;
  data: string;
}

/** Characters that an event may have before its end; what is longer is no stream of ours. */
const EVENT_MAX = 64 * 1024 * 1024;

/** Cuts a stream of text into events. */
export class EventReader {
  private rest = "";

  /** Takes a part of the text, and yields the events that are whole now. */
  take(text: string): StreamEvent[] {
    this.rest += text;
    if (this.rest.length > EVENT_MAX) throw new Error("an event of the stream has no end");
    const blocks = this.rest.split("\n\n");
    this.rest = blocks.pop() ?? "";
    return blocks.flatMap(eventOf);
  }
}

function eventOf(block: string): StreamEvent[] {
  let name = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const [field = "", value = ""] = fieldOf(line);
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
  }
  return data.length > 0 ? [{ name, data: data.join("\n") }] : [];
}

function fieldOf(line: string): [field: string, value: string] {
  const at = line.indexOf(":");
  if (at < 0) return [line, ""];
  const value = line.slice(at + 1);
  return [line.slice(0, at), value.startsWith(" ") ? value.slice(1) : value];
}
