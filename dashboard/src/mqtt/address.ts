// Where the page finds the node's WebSocket listener.

import type { Listener } from "../api/client";

/** What of the address of the page matters. */
export interface Place {
  protocol: string;
  hostname: string;
}

const ANYWHERE = new Set(["0.0.0.0", "[::]", "127.0.0.1", "[::1]", "localhost"]);

/** The addresses to try, the best first. A page that came by HTTPS may open nothing in clear text. */
export function addressesOf(listeners: readonly Listener[], place: Place): string[] {
  const kinds = place.protocol === "https:" ? ["wss"] : ["ws", "wss"];
  const usable = listeners.filter((one) => kinds.includes(one.type) && one.status.running);
  return usable.flatMap((one) => addressOf(one.bind, place));
}

function addressOf(bind: string, place: Place): string[] {
  // The parser of browsers knows `ws:` and `wss:` and leaves their default ports out.
  if (!URL.canParse(bind)) return [];
  const url = new URL(bind);
  if (ANYWHERE.has(url.hostname)) url.hostname = place.hostname;
  return [url.href];
}
