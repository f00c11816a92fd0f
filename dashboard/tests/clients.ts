// Fifty clients of a plant: machines that publish, programs that listen, one that does not keep up
// and one that is away while messages wait for it.

import { encode as encodeMessagePack } from "@msgpack/msgpack";
import { encode as encodeCbor } from "cborg";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";

import type { RunningNode } from "./node";

const ROBOTS = 24;
const SENSORS = 16;
const SCREENS = 9;
/** Of a tenant. */
const TRUCKS = 3;
const BEAT = 400;

/** A red dot of 8 by 8. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC",
  "base64",
);

const V5 = { protocolVersion: 5 } as const;

/** Connects all of them; what is yielded lets them leave. */
export async function startClients({ mqtt: url, acme }: RunningNode): Promise<() => Promise<void>> {
  const clients: MqttClient[] = [];
  const join = async (clientId: string, options: IClientOptions = {}, to = url) => {
    const client = await mqtt.connectAsync(to, {
      clientId,
      reconnectPeriod: 0,
      ...V5,
      ...options,
    });
    clients.push(client);
    return client;
  };
  await joinAway(url);
  for (let screen = 1; screen <= SCREENS; screen += 1) {
    const client = await join(`screen-${screen}`, { protocolVersion: 4 });
    await client.subscribeAsync([`plant/line${(screen % 4) + 1}/#`, "plant/+/+/state"], { qos: 1 });
  }
  const billing = await join("billing", {
    clean: false,
    properties: { sessionExpiryInterval: 7200 },
  });
  await billing.subscribeAsync(["$share/billing/plant/+/+/state", "alarms/#"], { qos: 2 });
  const machines: { client: MqttClient; index: number }[] = [];
  for (let index = 1; index <= ROBOTS; index += 1) {
    machines.push({ client: await join(`robot-${String(index).padStart(3, "0")}`), index });
  }
  const sensors: { client: MqttClient; index: number }[] = [];
  for (let index = 1; index <= SENSORS; index += 1) {
    sensors.push({
      client: await join(`sensor-${String(index).padStart(2, "0")}`, { keepalive: 30 }),
      index,
    });
  }
  for (let truck = 1; truck <= TRUCKS; truck += 1) await join(`truck-${truck}`, {}, acme);
  await retain(billing);
  let beat = 0;
  const beats = setInterval(() => {
    beat += 1;
    for (const { client, index } of machines) work(client, index, beat);
    for (const { client, index } of sensors) measure(client, index, beat);
  }, BEAT);
  return async () => {
    clearInterval(beats);
    await Promise.all(clients.map((client) => client.endAsync(true)));
  };
}

/** A session that waits for a client which is away, with a queue that grows. */
async function joinAway(url: string) {
  const options = {
    clientId: "historian",
    clean: false,
    properties: { sessionExpiryInterval: 86_400 },
  };
  const client = await mqtt.connectAsync(url, { ...options, ...V5, reconnectPeriod: 0 });
  await client.subscribeAsync("plant/line1/+/state", { qos: 1 });
  await client.endAsync(true);
}

async function retain(client: MqttClient) {
  for (let line = 1; line <= 4; line += 1) {
    await client.publishAsync(`plant/line${line}/name`, `Line ${line}`, { retain: true, qos: 1 });
  }
  await client.publishAsync("plant/camera", PNG, {
    retain: true,
    qos: 1,
    properties: { contentType: "image/png" },
  });
  await client.publishAsync("plant/<script>alert(1)</script>", "<img src=x onerror=alert(2)>", {
    retain: true,
    qos: 1,
  });
}

function work(client: MqttClient, index: number, beat: number) {
  const topic = `plant/line${(index % 4) + 1}/robot${index}`;
  const state = {
    speed: Number((1.5 + Math.sin(beat / 9 + index)).toFixed(3)),
    motor: {
      temperature: Number((55 + 8 * Math.sin(beat / 25 + index / 3)).toFixed(1)),
      current: 2 + (beat % 5) / 10,
    },
    program: index % 3 === 0 ? "weld" : "pick",
  };
  client.publish(`${topic}/state`, JSON.stringify(state), {
    qos: 1,
    properties: { contentType: "application/json" },
  });
  if (index % 6 === 0)
    client.publish(
      `${topic}/axes`,
      Buffer.from(encodeMessagePack({ axes: [beat % 90, -index, 0.5] })),
    );
}

function measure(client: MqttClient, index: number, beat: number) {
  const topic = `building/floor${(index % 3) + 1}/sensor${index}`;
  const degrees = (20 + 2 * Math.sin(beat / 30 + index)).toFixed(2);
  if (index % 4 === 0)
    client.publish(
      `${topic}/climate`,
      Buffer.from(encodeCbor({ degrees: Number(degrees), humidity: 40 + index })),
    );
  else client.publish(`${topic}/temperature`, degrees);
}
