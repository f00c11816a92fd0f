import { describe, expect, it } from "vitest";
import type { ConfigChange, ConfigVersion, EffectiveConfig } from "../api/client";
import { diffLines } from "./diff";
import { rebased, withEdit } from "./draft";
import { SPECS, specsOf } from "./schema";
import {
  earlier,
  faultsOf,
  hidesSecrets,
  mergePatch,
  patchOf,
  shown,
  sourceOf,
  valueAt,
} from "./values";

const spec = (key: string) => SPECS.find((one) => one.key === key);

describe("schema", () => {
  it("knows how each key is given", () => {
    expect(spec("mqtt.max_inflight")).toMatchObject({
      kind: "number",
      minimum: 1,
      maximum: 65_535,
      fallback: 32,
    });
    expect(spec("mqtt.queue_policy")?.choices.map((choice) => choice.value)).toContain(
      "drop_oldest",
    );
    expect(spec("mqtt.retain_available")?.kind).toBe("flag");
    expect(spec("limits.max_byte_rate")).toMatchObject({ kind: "text", title: 'rate or "off"' });
    expect(spec("listener")?.kind).toBe("data");
    expect(spec("access.users")?.kind).toBe("data");
    expect(spec("access.lockout.first")?.kind).toBe("text");
  });

  it("takes keys along that only the configuration has", () => {
    const config = { mqtt: { max_inflight: 2, of_tomorrow: true }, listener: [{ url: "x" }] };
    const more = specsOf(config).filter((one) => !SPECS.includes(one));
    expect(more.map((one) => [one.key, one.kind])).toEqual([["mqtt.of_tomorrow", "flag"]]);
  });
});

describe("values", () => {
  it("come from somewhere", () => {
    const origins = {
      "limits.max_connections": "environment variable PLEXUS__LIMITS__MAX_CONNECTIONS",
      "listener.0.url": "plexus.toml:9",
      "log.level": "option --set log.level",
      "mqtt.max_inflight": "data/config/layer.toml:9",
    };
    expect(sourceOf(origins, "listener")).toEqual({ kind: "file", words: "plexus.toml:9" });
    expect(sourceOf(origins, "mqtt.max_inflight").kind).toBe("changed");
    expect(sourceOf(origins, "log.level")).toEqual({ kind: "option", words: "--set log.level" });
    expect(sourceOf(origins, "limits.max_connections").words).toMatch(/^PLEXUS__/);
    expect(sourceOf(origins, "limits.max").kind).toBe("default");
  });

  it("are found by own names only", () => {
    expect(valueAt({ a: { b: 1 } }, ["a", "b"])).toBe(1);
    expect(valueAt({ a: {} }, ["a", "constructor"])).toBeUndefined();
  });

  it("fit on a line", () => {
    expect(shown(undefined)).toBe("not set");
    expect(shown([{ name: "a" }, { url: "tcp://x" }])).toBe("2: a, tcp://x");
    expect(shown([])).toBe("none");
    expect(shown({ ada: "***" })).toBe("ada");
    expect(shown("")).toBe("empty");
  });
});

describe("secrets", () => {
  it("in lists have to be given anew", () => {
    expect(hidesSecrets([{ name: "x", headers: { token: "***" } }])).toBe(true);
    expect(hidesSecrets([{ name: "x", token: "file:t" }, null])).toBe(false);
    expect(hidesSecrets({ ada: "***" })).toBe(false);
  });
});

describe("patches", () => {
  it("say no more than what differs", () => {
    expect(mergePatch({ a: 1, b: { c: 1, d: 2 } }, { a: 1, b: { d: 3 } })).toEqual({
      b: { c: null, d: 3 },
    });
    expect(mergePatch([1], [1, 2])).toEqual([1, 2]);
    expect(mergePatch("x", { a: 1 })).toEqual({ a: 1 });
  });

  it("put edits into their tables", () => {
    const edit = (path: string[], seen: unknown, value: unknown) => ({
      path,
      key: path.join("."),
      seen,
      value,
    });
    expect(
      patchOf([
        edit(["mqtt", "max_inflight"], 50, 23),
        edit(["mqtt", "maximum_qos"], 2, undefined),
        edit(["access", "users"], { ada: "***", bob: "***" }, { ada: "***", eve: "file:eve" }),
      ]),
    ).toEqual({
      mqtt: { max_inflight: 23, maximum_qos: null },
      access: { users: { bob: null, eve: "file:eve" } },
    });
  });
});

describe("mistakes", () => {
  it("stand at their keys", () => {
    const faults = faultsOf(
      "The change of log.level: `log.level`: `silly` is no level; the levels are off; the change of mqtt.max_inflight: expected a number, found `x`.",
    );
    expect([...faults]).toEqual([
      ["log.level", "`silly` is no level; the levels are off"],
      ["mqtt.max_inflight", "Expected a number, found `x`"],
    ]);
  });

  it("of no key are told, too", () => {
    expect(faultsOf("plexus.toml: critical comes before high").get("")).toBe(
      "plexus.toml: critical comes before high",
    );
  });
});

describe("drafts", () => {
  const nothing = { version: 0, edits: [], overtaken: [] };
  const edit = (seen: unknown, value: unknown) => ({
    path: ["mqtt", "max_inflight"],
    key: "mqtt.max_inflight",
    seen,
    value,
  });
  const config = (version: number, max_inflight: number): EffectiveConfig => ({
    version,
    config: { mqtt: { max_inflight } },
    origins: {},
  });

  it("keep the version of the first edit", () => {
    const first = withEdit(nothing, edit(50, 23), 4);
    expect(withEdit(first, edit(50, 24), 5)).toMatchObject({ version: 4, edits: [{ value: 24 }] });
    expect(withEdit(first, edit(50, 50), 5).edits).toEqual([]);
  });

  it("tell who came first", () => {
    const mine = withEdit(nothing, edit(50, 23), 4);
    expect(rebased(mine, config(5, 60))).toEqual({
      version: 5,
      edits: [edit(60, 23)],
      overtaken: ["mqtt.max_inflight"],
    });
    expect(rebased(mine, config(5, 50)).overtaken).toEqual([]);
    expect(rebased(mine, config(5, 23)).edits).toEqual([]);
  });
});

describe("earlier versions", () => {
  const change = (key: string, of_file: unknown): ConfigChange => ({
    key,
    of_file,
    value: 1,
    at: "",
    by: "ada",
    notes: [],
  });
  const version = (number: number, keys: string[]): ConfigVersion => ({
    version: number,
    at: "",
    by: "ada",
    why: "",
    keys,
  });
  const history = [version(2, ["a.b"]), version(1, ["a.c"]), version(0, [])];

  it("had what the file says where nobody had changed it", () => {
    const changes = [change("a.b", 7), change("a.c", 8)];
    expect(earlier("a.b", 1, changes, history)).toEqual({ kind: "file", value: 7 });
    expect(earlier("a.c", 0, changes, history)).toEqual({ kind: "file", value: 8 });
    expect(earlier("a.c", 1, changes, history).kind).toBe("unknown");
  });

  it("are not guessed where some are no longer kept", () => {
    expect(earlier("a.b", 1, [change("a.b", 7)], [version(2, ["a.b"])]).kind).toBe("unknown");
  });
});

describe("differences", () => {
  const of = (from: string, to: string) =>
    diffLines(from, to).map(
      (line) => `${{ same: " ", gone: "-", new: "+" }[line.kind]}${line.text}`,
    );

  it("are as small as they can be", () => {
    expect(of("a\nb\nc\nd", "a\nx\nc\ny\nd")).toEqual([" a", "-b", "+x", " c", "+y", " d"]);
    expect(of("a\nb", "b\na")).toHaveLength(3);
  });

  it("of nothing are all", () => {
    expect(of("", "a\nb")).toEqual(["+a", "+b"]);
    expect(of("a", "a")).toEqual([" a"]);
    expect(of("a", "")).toEqual(["-a"]);
  });

  it("of very long texts replace what is between", () => {
    const long = (word: string) => Array.from({ length: 1500 }, (_, line) => `${word}${line}`);
    const lines = of(
      ["head", ...long("a"), "tail"].join("\n"),
      ["head", ...long("b"), "tail"].join("\n"),
    );
    expect(lines).toHaveLength(3002);
    expect(lines.at(0)).toBe(" head");
    expect(lines.at(-1)).toBe(" tail");
  });
});
