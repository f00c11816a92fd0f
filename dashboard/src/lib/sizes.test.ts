import { expect, it } from "vitest";
import { sizeOf } from "./sizes";

it("reads sizes as the node does", () => {
  expect(sizeOf("64KiB")).toBe(65_536);
  expect(sizeOf("1MB")).toBe(1_000_000);
  expect(sizeOf("0B")).toBe(0);
  expect(sizeOf("12")).toBe(12);
  expect(sizeOf(7)).toBe(7);
  expect(sizeOf("64 GiB")).toBe(64 * 1024 ** 3);
  expect(sizeOf("off")).toBeNaN();
  expect(sizeOf(undefined)).toBeNaN();
});
