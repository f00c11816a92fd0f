import { describe, expect, it } from "vitest";
import {
  bytes,
  duration,
  fromNow,
  lasting,
  micros,
  momentOf,
  NO_END,
  plural,
  protocol,
  short,
} from "./format";

describe("format", () => {
  it("writes sizes with the unit that fits", () => {
    expect([0, 1023, 1024, 1536, 150 * 1024, 5 * 1024 ** 3].map(bytes)).toEqual([
      "0 B",
      "1023 B",
      "1.0 KiB",
      "1.5 KiB",
      "150 KiB",
      "5.0 GiB",
    ]);
  });

  it("writes durations with their two largest parts", () => {
    expect([0, 999, 59_000, 61_000, 3_600_000, 90_061_000].map(duration)).toEqual([
      "0s",
      "0s",
      "59s",
      "1m 1s",
      "1h",
      "1d 1h",
    ]);
  });

  it("knows the end that MQTT calls none", () => {
    expect(lasting(NO_END)).toBe("for ever");
    expect(lasting(90)).toBe("1m 30s");
  });

  it("says on which side of now a moment is", () => {
    expect(fromNow(5_000, 10_000)).toBe("5s ago");
    expect(fromNow(70_000, 10_000)).toBe("in 1m");
    expect(fromNow(10_100, 10_000)).toBe("now");
  });

  it("does not make a number of what is none", () => {
    expect(momentOf("soon")).toBeNaN();
    expect(momentOf(null)).toBeNaN();
    expect(bytes(Number.NaN)).toBe("–");
    expect(short(Number.POSITIVE_INFINITY)).toBe("–");
  });

  it("counts in words", () => {
    expect(plural(1, "client")).toBe("1 client");
    expect(plural(12_000, "client")).toBe("12,000 clients");
    expect([3, 4, 5, 6].map(protocol)).toEqual(["3.1", "3.1.1", "5.0", "6"]);
  });

  it("says short times", () => {
    expect(micros(85)).toBe("85 µs");
    expect(micros(1500)).toBe("1.5 ms");
    expect(micros(25_000)).toBe("25 ms");
    expect(micros(2_300_000)).toBe("2.3 s");
    expect(micros(Number.NaN)).toBe("–");
  });
});
