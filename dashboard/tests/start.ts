// A real node with real clients, for as long as the tests run.

import { startClients } from "./clients";
import { startNode } from "./node";

/** Starts both, and yields what ends them. */
export default async function start(): Promise<() => Promise<void>> {
  const node = await startNode();
  process.env.PLEXUS_PAGE = node.page;
  process.env.PLEXUS_PASSWORD = node.password;
  process.env.PLEXUS_MQTT = node.mqtt;
  try {
    const leave = await startClients(node.mqtt);
    return async () => {
      await leave();
      await node.stop();
    };
  } catch (error) {
    await node.stop();
    throw error;
  }
}
