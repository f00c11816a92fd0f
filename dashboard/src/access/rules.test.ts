import { describe, expect, it } from "vitest";
import { drafted, finished, fresh, moved, topicFaultOf } from "./rules";

const topics = (drafts: { topic: string }[]) => drafts.map(({ topic }) => topic).join("");
const three = () =>
  drafted(["a", "b", "c"].map((topic) => ({ permission: "allow", action: "all", topic })));

describe("rules", () => {
  it("are moved", () => {
    expect(topics(moved(three(), 0, 1))).toBe("bac");
    expect(topics(moved(three(), 2, 0))).toBe("cab");
    expect(topics(moved(three(), 0, 2))).toBe("bca");
    expect(topics(moved(three(), 9, 0))).toBe("abc");
  });

  it("are known apart, and sent without what says nothing", () => {
    const [one, two] = [...fresh(), ...fresh()];
    expect(one?.number).not.toBe(two?.number);
    const sent = finished([
      { number: 1, permission: "deny", action: "publish", topic: "x", qos: [2, 1], retain: true },
      { number: 2, permission: "allow", action: "all", topic: "#", qos: [0, 1, 2], retain: "all" },
    ]);
    expect(sent).toEqual([
      { permission: "deny", action: "publish", topic: "x", qos: [1, 2], retain: true },
      { permission: "allow", action: "all", topic: "#" },
    ]);
  });

  it("have topics that can be", () => {
    expect(topicFaultOf("")).toBeDefined();
    expect(topicFaultOf("a/#/b")).toBeDefined();
    expect(topicFaultOf("robot/+/#")).toBeUndefined();
  });
});
