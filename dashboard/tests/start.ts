// A real node with real clients, for as long as the tests run.

import { startClients } from "./clients";
import { startNode } from "./node";
import { startPages } from "./pages";

/** Starts both, and yields what ends them. */
export default async function start(): Promise<() => Promise<void>> {
  const node = await startNode();
  const ends = [node.stop];
  const end = async () => {
    for (const one of ends.splice(0).reverse()) await one();
  };
  try {
    const pages = await startPages(node.page);
    ends.push(pages.stop);
    process.env.PLEXUS_PAGE = pages.page;
    process.env.PLEXUS_PASSWORD = node.password;
    process.env.PLEXUS_MQTT = node.mqtt;
    ends.push(await startClients(node));
    return end;
  } catch (error) {
    await end();
    throw error;
  }
}
