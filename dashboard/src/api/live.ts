// What the node does, looked at every two seconds while somebody looks at the page.

import { useQuery } from "@tanstack/react-query";
import { Series } from "../lib/series";
import { answered, api } from "./client";
import { maySee, session } from "./session";

/** How often the node is looked at. */
export const PULSE = 2000;
/** Half an hour of it, and what of the past is drawn before, in seconds. */
const KEPT = 900;
const RECALLED = 1800;

/** The rates and figures that charts draw. */
export const pulse = new Series(
  [
    "received",
    "sent",
    "dropped",
    "bytesIn",
    "bytesOut",
    "connected",
    "sessions",
    "queued",
    "memory",
    "load",
  ],
  KEPT,
);

/** What was before anybody looked: a sample every ten seconds, which tells how much came since the last. */
async function recall() {
  const samples = await answered(
    api.GET("/api/v5/monitor", { params: { query: { latest: RECALLED } } }),
  );
  for (const [index, sample] of samples.entries()) {
    const seconds = (sample.time_stamp - (samples[index - 1]?.time_stamp ?? Number.NaN)) / 1000;
    pulse.push(sample.time_stamp, [
      sample.received / seconds,
      sample.sent / seconds,
      sample.dropped / seconds,
      sample.received_bytes / seconds,
      sample.sent_bytes / seconds,
      sample.live_connections,
      sample.connections,
      sample.queued,
      sample.memory,
      Number.NaN,
    ]);
  }
}

interface Look {
  at: number;
  busy: number;
}
let before: Look | undefined;

async function look() {
  // Charts without a past are better than none.
  if (pulse.length === 0) await recall().catch(() => undefined);
  const [rates, metrics, nodes] = await Promise.all([
    answered(api.GET("/api/v5/monitor_current")),
    answered(api.GET("/api/v5/metrics")),
    answered(api.GET("/api/v5/nodes")),
  ]);
  const at = Date.now();
  const node = nodes[0];
  const busy = metrics["loop.busy_micros"] ?? 0;
  const load = loadSince(before, { at, busy }, node?.shards ?? 1);
  before = { at, busy };
  pulse.push(at, [
    rates.received_msg_rate,
    rates.sent_msg_rate,
    rates.dropped_msg_rate,
    rates.received_bytes_rate,
    rates.sent_bytes_rate,
    rates.live_connections,
    rates.connections,
    rates.queued,
    node?.memory_used ?? Number.NaN,
    load,
  ]);
  return { at, rates, metrics, node, load };
}

/** The part of their time, in per cent, for which the shards were busy between two looks. */
function loadSince(then: Look | undefined, now: Look, shards: number): number {
  if (!then || now.busy < then.busy || now.at <= then.at) return Number.NaN;
  return Math.min(100, (now.busy - then.busy) / (now.at - then.at) / shards / 10);
}

/** The last look at the node. The frame of the page keeps it going. */
export function usePulse() {
  return useQuery({
    queryKey: ["pulse"],
    queryFn: look,
    refetchInterval: PULSE,
    enabled: () => {
      const role = session.get()?.role;
      return role !== undefined && maySee(role);
    },
  });
}
