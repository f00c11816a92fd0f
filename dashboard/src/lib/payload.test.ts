import { encode as encodeMessagePack } from "@msgpack/msgpack";
import { encode as encodeCbor } from "cborg";
import { describe, expect, it } from "vitest";
import {
  detect,
  fromHex,
  hex,
  imageType,
  numbers,
  preview,
  READ_MAX,
  read,
  shownBytes,
  toBase64,
} from "./payload";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("payload", () => {
  it("tells formats apart", () => {
    expect(detect(bytes('{"a": 1}'))).toBe("json");
    expect(detect(bytes("21.5"))).toBe("text");
    expect(detect(bytes("{not json"))).toBe("text");
    expect(detect(encodeCbor({ speed: 2.5, name: "élan" }))).toBe("cbor");
    expect(detect(encodeMessagePack({ speed: 2.5, on: true }))).toBe("msgpack");
    expect(detect(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a))).toBe("image");
    expect(detect(Uint8Array.of(0xff, 0x00, 0x13))).toBe("hex");
  });

  it("shows no SVG as an image", () => {
    expect(
      imageType(bytes('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')),
    ).toBeUndefined();
  });

  it("reads what it is, and nothing else", () => {
    expect(read(encodeCbor({ a: [1, 2] }), "cbor")?.value).toEqual({ a: [1, 2] });
    expect(read(encodeMessagePack({ a: [1, 2] }), "msgpack")?.value).toEqual({ a: [1, 2] });
    expect(read(bytes("21.5"), "text")?.value).toBe(21.5);
    expect(read(bytes("{"), "json")).toBeUndefined();
    expect(read(Uint8Array.of(0xc3), "text")).toBeUndefined();
    expect(read(encodeCbor(2n ** 60n), "cbor")?.text).toBe('"1152921504606846976"');
  });

  it("leaves large payloads to the hex view", () => {
    const large = new Uint8Array(READ_MAX + 1).fill(0x20);
    expect(read(large, "json")).toBeUndefined();
    expect(hex(large).split("\n").at(-1)).toBe(`… ${READ_MAX + 1 - 4096} more bytes`);
  });

  it("finds the numbers of a value", () => {
    const found = numbers({ motor: { t: 71.5, on: true }, axes: [1, "x", 3], none: null });
    expect([...found]).toEqual([
      ["motor.t", 71.5],
      ["axes[0]", 1],
      ["axes[2]", 3],
    ]);
    expect([...numbers(4)]).toEqual([["value", 4]]);
    expect(numbers(Array.from({ length: 500 }, (_, index) => index)).size).toBe(64);
  });

  it("walks only so deep", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 10_000; level += 1) deep = { deep };
    expect(numbers(deep).size).toBe(0);
  });

  it("previews without cutting characters", () => {
    expect(preview(bytes(""))).toBe("(empty)");
    expect(preview(bytes("a\n  b"))).toBe("a b");
    expect(preview(bytes("é".repeat(400)), 10)).toBe(`${"é".repeat(10)}…`);
    expect(preview(Uint8Array.of(0xff, 0x01))).toBe("2 bytes: ff 01");
  });

  it("takes hex and gives base64", () => {
    expect(fromHex("00 ff\n1")).toBeUndefined();
    expect(fromHex("zz")).toBeUndefined();
    expect(fromHex("00 FF")).toEqual(Uint8Array.of(0, 255));
    expect(shownBytes("AP8=", "base64")).toEqual(Uint8Array.of(0, 255));
    expect(shownBytes("é", "plain")).toEqual(Uint8Array.of(0xc3, 0xa9));
    expect(shownBytes(null, "plain")).toHaveLength(0);
    expect(toBase64(Uint8Array.of(0, 255))).toBe("AP8=");
    expect(hex(bytes("Hi"))).toMatch(/^000000 {2}48 69 +Hi$/);
  });
});
