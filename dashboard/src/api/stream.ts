// Live views: events of the node while somebody looks at them.

import { EventReader, type StreamEvent } from "../lib/events";
import { Store } from "../lib/store";
import { end, session } from "./session";

/** How a live view is doing. */
export type StreamState = { kind: "opening" } | { kind: "on" } | { kind: "broken"; why: string };

const AGAIN = 2000;

/** A stream of the API, opened again whenever it ends, until it is closed. */
export class Stream {
  readonly state = new Store<StreamState>({ kind: "opening" });
  private readonly closing = new AbortController();

  constructor(
    private readonly path: string,
    private readonly query: Record<string, string>,
    private readonly take: (event: StreamEvent) => void,
  ) {
    void this.run();
  }

  /** Ends it. */
  close() {
    this.closing.abort();
  }

  private async run() {
    while (!this.closing.signal.aborted) {
      try {
        await this.read();
      } catch (error) {
        if (this.closing.signal.aborted) return;
        this.state.set({
          kind: "broken",
          why: error instanceof Error ? error.message : String(error),
        });
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  }

  private async read() {
    const token = session.get()?.token;
    const answer = await fetch(`/api/v5${this.path}?${new URLSearchParams(this.query)}`, {
      headers: { Authorization: `Bearer ${token}`, Accept: "text/event-stream" },
      signal: this.closing.signal,
    });
    if (!answer.ok || !answer.body) {
      if (answer.status === 401) end("Your log-in is over. Please log in again.");
      throw new Error(await wordsOf(answer));
    }
    this.state.set({ kind: "on" });
    const reader = new EventReader();
    const parts = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await parts.read(); !part.done; part = await parts.read()) {
      for (const event of reader.take(part.value)) this.take(event);
    }
  }
}

async function wordsOf(answer: Response): Promise<string> {
  const told: unknown = await answer.json().catch(() => undefined);
  const message: unknown =
    typeof told === "object" && told !== null ? Reflect.get(told, "message") : undefined;
  return typeof message === "string" ? message : `The node answered with status ${answer.status}`;
}
