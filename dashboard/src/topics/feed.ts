// The tree of topics: what is retained, and what comes, once a second.

import { answered, api, type LiveTopics, type RetainedMessage } from "../api/client";
import { session } from "../api/session";
import { Stream } from "../api/stream";
import { shownBytes } from "../lib/payload";
import { Store } from "../lib/store";
import { type Message, TopicTree } from "../lib/topics";

/** Bytes of each payload: enough for a row of the tree. The whole is asked for where one is chosen. */
const PART = 512;
// The node gives 4 MiB of payloads at a time.
const RETAINED_MAX = 8_000;

/** The topics that were seen. It stays while one looks at other pages. */
export let tree = new TopicTree();
/** Grows with what is in the tree. */
export const version = new Store(0);

let counter = 0;

const grown = () => version.set(version.get() + 1);

/** Empties the tree. */
export function forget() {
  tree = new TopicTree();
  grown();
}

// Who logs out leaves nothing for the next.
session.follow(() => {
  if (!session.get()) forget();
});

/** Follows the topics that a filter matches, until the stream is closed. */
export function follow(filter: string): Stream {
  let before = Date.now();
  return new Stream(
    "/live/topics",
    { topic: filter, payload_max: String(PART) },
    ({ name, data }) => {
      if (name !== "topics") return;
      const { at, topics, others }: LiveTopics = JSON.parse(data);
      const moment = Date.parse(at);
      for (const one of topics) {
        tree.add(messageOf(one, moment, one.retain), one.count);
      }
      tree.left += others;
      tree.tick(Math.max(0.5, (moment - before) / 1000));
      before = moment;
      grown();
    },
  );
}

/** Puts the topics with a retained message into the tree. */
export async function addRetained(filter: string) {
  const query = { topic: filter, limit: RETAINED_MAX, cursor: "none", payload_max: PART };
  const { data } = await answered(api.GET("/api/v5/mqtt/retainer/messages", { params: { query } }));
  for (const one of data) {
    const known = tree.find(one.topic);
    if (known?.last) known.retained = true;
    else tree.add(messageOf(one, undefined, true), 0);
  }
  grown();
}

interface Shown {
  topic: string;
  payload?: string | null;
  payload_encoding: "plain" | "base64";
  size: number;
  qos: number;
  content_type?: string | null;
}

/** A message as the API shows it. */
export function messageOf(
  shown: Shown | RetainedMessage,
  at: number | undefined,
  retain: boolean,
): Message {
  counter += 1;
  return {
    number: counter,
    topic: shown.topic,
    payload: shownBytes(shown.payload, shown.payload_encoding),
    size: shown.size,
    qos: shown.qos,
    retain,
    ...(at === undefined ? {} : { at }),
    ...(shown.content_type ? { contentType: shown.content_type } : {}),
  };
}
