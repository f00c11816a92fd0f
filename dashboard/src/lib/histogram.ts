// Histograms as Prometheus counts them, and what can be told from two of them.

/** How many were at most so much; the last bound is infinite. */
export interface Bucket {
  bound: number;
  count: number;
}

/** The buckets of a histogram in the text of /metrics; none where there is no such histogram. */
export function readHistogram(text: string, name: string): Bucket[] {
  const start = `${name}_bucket{le="`;
  const buckets: Bucket[] = [];
  for (const line of text.split("\n")) {
    if (!line.startsWith(start)) continue;
    const [bound = "", count = ""] = line.slice(start.length).split('"}');
    const upto = bound === "+Inf" ? Number.POSITIVE_INFINITY : Number(bound);
    const counted = Number(count.trim() || Number.NaN);
    if (!Number.isNaN(upto) && Number.isFinite(counted)) {
      buckets.push({ bound: upto, count: counted });
    }
  }
  return buckets;
}

/** What came between two looks; nothing where the node has begun anew meanwhile. */
export function between(before: readonly Bucket[], after: readonly Bucket[]): Bucket[] | undefined {
  if (before.length !== after.length) return undefined;
  const came = after.map(({ bound, count }, index) => ({
    bound,
    count: count - (before[index]?.count ?? 0),
  }));
  return came.every(({ count }) => count >= 0) ? came : undefined;
}

/** The value below which that part of all is, evenly within its bucket; NaN of nothing. */
export function quantile(buckets: readonly Bucket[], part: number): number {
  const wanted = (buckets.at(-1)?.count ?? 0) * part;
  if (wanted === 0) return Number.NaN;
  let below: Bucket = { bound: 0, count: 0 };
  for (const bucket of buckets) {
    if (bucket.count >= wanted) {
      if (bucket.bound === Number.POSITIVE_INFINITY) return below.bound;
      const within = (wanted - below.count) / (bucket.count - below.count);
      return below.bound + (bucket.bound - below.bound) * within;
    }
    below = bucket;
  }
  return below.bound;
}
