// How long commits and deliveries take: from the histograms of /metrics, over the last minute.

import { useQuery } from "@tanstack/react-query";
import { type Bucket, between, quantile, readHistogram } from "../lib/histogram";
import { Series } from "../lib/series";
import { fetched } from "./client";

const REFRESH = 5000;
/** Values are of the last minute; what is drawn is of half an hour. */
const MINUTE = 60_000;
const KEPT = 360;
const MICROS = 1e6;

/** Half and ninety-nine of a hundred were faster, in microseconds. */
export const latency = new Series(["commit50", "commit99", "delivery50", "delivery99"], KEPT);

interface Look {
  at: number;
  commit: Bucket[];
  delivery: Bucket[];
}
let looks: Look[] = [];

async function look(): Promise<number> {
  // The numbers for Prometheus, which the API has outside of its operations.
  const text = await (await fetched("/metrics")).text();
  const at = Date.now();
  const now = {
    at,
    commit: readHistogram(text, "plexus_commit_seconds"),
    delivery: readHistogram(text, "plexus_delivery_seconds"),
  };
  looks = looks.filter((one) => at - one.at <= MINUTE);
  const [then] = looks;
  if (then) latency.push(at, valuesOf(then, now));
  looks.push(now);
  return at;
}

function valuesOf(then: Look, now: Look): number[] {
  return (["commit", "delivery"] as const).flatMap((name) => {
    const came = between(then[name], now[name]);
    // The node has begun anew: what was before is of no use.
    if (!came) looks = [];
    return [quantile(came ?? [], 0.5) * MICROS, quantile(came ?? [], 0.99) * MICROS];
  });
}

/** Keeps looking while the page is there. */
export function useLatency() {
  return useQuery({ queryKey: ["latency"], queryFn: look, refetchInterval: REFRESH });
}
