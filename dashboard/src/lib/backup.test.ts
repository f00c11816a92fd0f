import { expect, test } from "vitest";
import { contentsOf, fileFault } from "./backup";

test("what is in a backup is counted", () => {
  const { node, madeAt, counts } = contentsOf(
    JSON.stringify({
      version: 1,
      node: "plant-north",
      made_at: "2026-12-01T12:00:00.000Z",
      bans: [{}, {}],
      accounts: [{}],
      people: { version: 1, users: { admin: {} }, keys: { a: {}, b: {}, c: {} } },
    }),
  );
  expect([node, madeAt]).toEqual(["plant-north", "2026-12-01T12:00:00.000Z"]);
  expect(counts.filter(([, count]) => count > 0)).toEqual([
    ["Users of the API", 1],
    ["API keys", 3],
    ["MQTT users", 1],
    ["Bans", 2],
  ]);
});

test("a backup may hold nothing", () => {
  const { node, madeAt, counts } = contentsOf('{"version": 1, "node": 7, "made_at": null}');
  expect([node, madeAt]).toEqual(["", undefined]);
  expect(counts.every(([, count]) => count === 0)).toBe(true);
});

test.each([
  ["", "it is not JSON"],
  ["[1]", "it is no object of JSON"],
  ["null", "it is no object of JSON"],
  ["{}", "it has no “version”"],
  ['{"version": 2}', "version 2 are not known"],
  ['{"version": "1"}', 'version "1" are not known'],
  ['{"version": 1, "bans": {}}', "“bans” is no list"],
  ['{"version": 1, "people": {"users": 3}}', "“people.users” is no object"],
])("%s is no backup", (text, why) => {
  expect(() => contentsOf(text)).toThrow(why);
});

test("a file that is too large is not read", () => {
  expect(fileFault(64 * 1024 * 1024)).toBeNull();
  expect(fileFault(64 * 1024 * 1024 + 1)).toMatch(/64 MiB/);
});
