// A connection of the page to the node, as an MQTT client over WebSocket. It lives as long as the
// page, so that one may look elsewhere and come back. What comes is kept within bounds.

import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import { session } from "../api/session";
import { Store } from "../lib/store";
import type { Message } from "../lib/topics";

/** How to connect. */
export interface Options {
  url: string;
  clientId: string;
  username: string;
  password: string;
  isClean: boolean;
  protocol: 4 | 5;
}

/** What the connection is doing. */
export type State =
  | { kind: "off" }
  | { kind: "connecting" }
  | { kind: "on"; options: Options }
  | { kind: "lost"; why: string }
  | { kind: "refused"; why: string };

/** A subscription of the page. */
export interface Wanted {
  filter: string;
  qos: 0 | 1 | 2;
}

/** Messages that are kept, and their bytes, at most. */
export const KEPT = 2000;
const KEPT_BYTES = 32 * 1024 * 1024;
/** How often the page hears of what has come. */
const FRAME = 250;
const RECONNECT = 2000;
/** Seconds. Browsers let the clocks of a page that nobody sees go once a minute only. */
const KEEP_ALIVE = 180;

export const state = new Store<State>({ kind: "off" });
export const wanted = new Store<readonly Wanted[]>([]);
/** The messages, the last one at the end. A new list every time that something came. */
export const messages = new Store<readonly Message[]>([]);
/** How many messages have come since the list was emptied. */
export const received = new Store(0);

let client: MqttClient | undefined;
let pending: Message[] = [];
let keptBytes = 0;
let drawing: ReturnType<typeof setTimeout> | undefined;
let counter = 0;

/** Connects, and leaves another connection if there was one. */
export function connect(options: Options) {
  disconnect();
  state.set({ kind: "connecting" });
  client = mqtt.connect(options.url, optionsOf(options));
  const current = client;
  const isOld = () => client !== current;
  current.on("connect", () => {
    if (isOld()) return;
    state.set({ kind: "on", options });
    for (const one of wanted.get()) ask(one);
  });
  current.on("message", (topic, payload, packet) => take(topic, payload, packet));
  current.on("error", (error) => {
    if (isOld()) return;
    // A refusal does not become better by asking again.
    const code: unknown = Reflect.get(error, "code");
    if (typeof code === "number") {
      current.end(true);
      state.set({ kind: "refused", why: error.message });
    }
  });
  current.on("close", () => {
    if (isOld() || state.get().kind === "refused") return;
    state.set({ kind: "lost", why: "The connection is gone; another one is tried." });
  });
}

function optionsOf(options: Options): IClientOptions {
  return {
    clientId: options.clientId,
    protocolVersion: options.protocol,
    clean: options.isClean,
    reconnectPeriod: RECONNECT,
    connectTimeout: 10_000,
    timerVariant: "native", // The other one is a worker from a blob, which the page may not run.
    keepalive: KEEP_ALIVE,
    resubscribe: false, // The page keeps what is wanted, and asks for it itself.
    ...(options.username ? { username: options.username } : {}),
    ...(options.password ? { password: options.password } : {}),
    ...(options.protocol === 5 && !options.isClean
      ? { properties: { sessionExpiryInterval: 3600 } }
      : {}),
  };
}

/** Leaves. What has come stays to be looked at. */
export function disconnect() {
  client?.end(true);
  client = undefined;
  state.set({ kind: "off" });
}

// Who logs out leaves nothing for the next.
session.follow(() => {
  if (session.get()) return;
  disconnect();
  wanted.set([]);
  clear();
});

function ask({ filter, qos }: Wanted): Promise<void> {
  const current = client;
  if (!current) return Promise.resolve();
  return new Promise((resolve, reject) => {
    current.subscribe(filter, { qos, rap: true }, (error, granted) => {
      const refused = granted?.some((grant) => Number(grant.qos) >= 128);
      if (!error && !refused) return resolve();
      wanted.set(wanted.get().filter((one) => one.filter !== filter));
      reject(new Error(error?.message ?? `The node refuses to subscribe to ${filter}`));
    });
  });
}

/** Subscribes, now and whenever the connection comes back. */
export async function subscribe(one: Wanted): Promise<void> {
  wanted.set([...wanted.get().filter((other) => other.filter !== one.filter), one]);
  await ask(one);
}

/** Ends a subscription. */
export function unsubscribe(filter: string) {
  wanted.set(wanted.get().filter((one) => one.filter !== filter));
  client?.unsubscribe(filter);
}

/** Publishes; done when the node has taken the message as its quality of service says. */
export function publish(
  topic: string,
  payload: Uint8Array,
  qos: 0 | 1 | 2,
  retain: boolean,
): Promise<void> {
  const current = client;
  if (!current?.connected) return Promise.reject(new Error("There is no connection"));
  return new Promise((resolve, reject) => {
    // The library speaks of Node's buffers and takes plain bytes as well.
    current.publish(topic, payload as Buffer, { qos, retain }, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}

function take(topic: string, payload: Uint8Array, packet: IPublishPacket) {
  counter += 1;
  const { contentType, responseTopic, userProperties } = packet.properties ?? {};
  const pairs = Object.entries(userProperties ?? {});
  const message: Message = {
    number: counter,
    topic,
    payload: new Uint8Array(payload),
    qos: packet.qos,
    retain: packet.retain,
    at: Date.now(),
    ...(contentType ? { contentType } : {}),
    ...(responseTopic ? { responseTopic } : {}),
    ...(pairs.length > 0
      ? {
          userProperties: pairs.flatMap(([name, values]) =>
            [values].flat().map((value): [string, string] => [name, value]),
          ),
        }
      : {}),
  };
  pending.push(message);
  if (pending.length > KEPT) pending.shift();
  if (drawing === undefined) drawing = setTimeout(draw, FRAME);
}

/** Hands on what has come since the last time: at most four times a second, whatever the rate. */
function draw() {
  drawing = undefined;
  const fresh = pending;
  pending = [];
  const kept = [...messages.get(), ...fresh].slice(-KEPT);
  keptBytes = kept.reduce((sum, message) => sum + message.payload.length, 0);
  while (keptBytes > KEPT_BYTES && kept.length > 1) keptBytes -= kept.shift()?.payload.length ?? 0;
  received.set(received.get() + fresh.length);
  messages.set(kept);
}

/** Empties the list of messages. */
export function clear() {
  pending = [];
  received.set(0);
  messages.set([]);
}
