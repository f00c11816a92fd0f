// What the node tells of itself in its $SYS topics, where no other operation has it.

import { useQuery } from "@tanstack/react-query";
import { answered, api } from "./client";

const REFRESH = 10_000;
/** A value of $SYS is short; all of them are a few hundred. */
const LONGEST = 64;
const MOST = 10_000;
const TOPICS = "$SYS/brokers/+/#";
const PREFIX = /^\$SYS\/brokers\/[^/]+\//;

/** Numbers by their topics behind `$SYS/brokers/<node>/`. */
export type SysNumbers = ReadonlyMap<string, number>;

async function ask(tenant: string | undefined): Promise<SysNumbers> {
  const query = { topic: TOPICS, payload_max: LONGEST, limit: MOST, ...(tenant ? { tenant } : {}) };
  const { data } = await answered(api.GET("/api/v5/mqtt/retainer/messages", { params: { query } }));
  const numbers = new Map<string, number>();
  for (const { topic, payload } of data) {
    const number = Number(payload ?? "");
    if (payload && Number.isFinite(number)) numbers.set(topic.replace(PREFIX, ""), number);
  }
  return numbers;
}

/** The numbers of the node, or of what is counted of a tenant. There are none where `sys.interval` is `"never"`. */
export function useSys(tenant?: string) {
  return useQuery({
    queryKey: ["sys", tenant ?? ""],
    queryFn: () => ask(tenant),
    refetchInterval: REFRESH,
  });
}

/** A listener in these topics: its name, in which some letters are others. */
export function sysName(listener: string): string {
  return listener.replace("://", ":").replaceAll(/[/+#]/g, "_");
}
