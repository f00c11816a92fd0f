import { expect, it } from "vitest";
import { Series } from "./series";

it("keeps the last moments only, in their order", () => {
  const series = new Series(["in", "out"], 3);
  for (const at of [1000, 2000, 1500, 3000, 4000]) series.push(at, [at, -at]);
  expect(series.data(["out"])).toEqual([
    [2, 3, 4],
    [-2000, -3000, -4000],
  ]);
  expect(series.last("in")).toBe(4000);
  expect(series.last("nothing")).toBeUndefined();
  series.push(5000, [Number.NaN, 1]);
  expect(series.data(["in"])[1]).toEqual([3000, 4000, null]);
});
