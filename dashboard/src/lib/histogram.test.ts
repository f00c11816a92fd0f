import { describe, expect, it } from "vitest";
import { between, quantile, readHistogram } from "./histogram";

const TEXT = `# TYPE plexus_commit_seconds histogram
plexus_commit_seconds_bucket{le="0.001000"} 50
plexus_commit_seconds_bucket{le="0.010000"} 99
plexus_commit_seconds_bucket{le="+Inf"} 100
plexus_commit_seconds_sum 0.5
plexus_commit_seconds_count 100
plexus_delivery_seconds_bucket{le="+Inf"} 7
plexus_broken_bucket{le="x"} y
plexus_broken_bucket{le="1"}
`;

describe("histograms", () => {
  it("are read", () => {
    expect(readHistogram(TEXT, "plexus_commit_seconds")).toEqual([
      { bound: 0.001, count: 50 },
      { bound: 0.01, count: 99 },
      { bound: Number.POSITIVE_INFINITY, count: 100 },
    ]);
    expect(readHistogram(TEXT, "plexus_broken")).toEqual([]);
    expect(readHistogram(TEXT, "plexus_commit")).toEqual([]);
  });

  it("tell below what a part of all is", () => {
    const buckets = readHistogram(TEXT, "plexus_commit_seconds");
    expect(quantile(buckets, 0.25)).toBeCloseTo(0.0005);
    expect(quantile(buckets, 0.5)).toBeCloseTo(0.001);
    expect(quantile(buckets, 0.99)).toBeCloseTo(0.01);
    expect(quantile(buckets, 1)).toBe(0.01);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it("are compared, but not with those of another start", () => {
    const one = [{ bound: 1, count: 5 }];
    expect(between(one, [{ bound: 1, count: 8 }])).toEqual([{ bound: 1, count: 3 }]);
    expect(between(one, [{ bound: 1, count: 4 }])).toBeUndefined();
    expect(between([], one)).toBeUndefined();
  });
});
