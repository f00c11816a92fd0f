import { describe, expect, it } from "vitest";
import { filterFault, type Message, TOPICS_MAX, TopicTree, topicFault } from "./topics";

let number = 0;
const message = (topic: string, text = "x", retain = false): Message => {
  number += 1;
  return { number, topic, payload: new TextEncoder().encode(text), qos: 0, retain, at: number };
};

describe("topics", () => {
  it("knows which filters and topics there may be", () => {
    expect(["plant/+/t", "#", "+", "/", "$share/g/a/#"].map(filterFault)).toEqual(
      Array(5).fill(undefined),
    );
    for (const filter of ["", "a/#/b", "a#", "a+/b", "a\u0000"])
      expect(filterFault(filter)).toBeTruthy();
    expect(topicFault("a/b")).toBeUndefined();
    for (const topic of ["", "a/+", "#", "\u0000"]) expect(topicFault(topic)).toBeTruthy();
  });

  it("grows by level and keeps the last message", () => {
    const tree = new TopicTree();
    for (const topic of ["plant/line2/t", "plant/line10/t", "plant"]) tree.add(message(topic));
    expect(tree.find("plant")?.total).toBe(3);
    expect(tree.find("plant")?.messages).toBe(1);
    expect(tree.find("plant/line2")?.last).toBeUndefined();
    expect(tree.find("nowhere/at/all")).toBeUndefined();
    const rows = tree.rows(new Set(["plant"])).map((row) => `${row.depth} ${row.level.name}`);
    expect(rows).toEqual(["0 plant", "1 line2", "1 line10"]);
  });

  it("tells an empty level from none", () => {
    const tree = new TopicTree();
    tree.add(message("/a"));
    tree.add(message("a/"));
    expect(tree.find("/a")?.messages).toBe(1);
    expect(tree.find("a/")?.messages).toBe(1);
    expect(tree.find("a")?.messages).toBe(0);
  });

  it("marks what is retained until it is taken away", () => {
    const tree = new TopicTree();
    tree.add(message("a", "on", true));
    expect(tree.find("a")?.retained).toBe(true);
    tree.add(message("a", "off"));
    expect(tree.find("a")?.retained).toBe(true);
    tree.add(message("a", "", true));
    expect(tree.find("a")?.retained).toBe(false);
  });

  it("counts rates between ticks", () => {
    const tree = new TopicTree();
    for (let times = 0; times < 10; times += 1) tree.add(message("a/b"));
    tree.tick(2);
    expect(tree.find("a")?.rate).toBe(5);
    tree.tick(2);
    expect(tree.find("a")?.rate).toBe(0);
    tree.add(message("a/b"), 7);
    tree.add(message("a/c", "kept", true), 0);
    tree.tick(1);
    expect(tree.find("a")?.rate).toBe(7);
    expect(tree.find("a/c")?.last).toBeDefined();
  });

  it("filters by text, with the levels above", () => {
    const tree = new TopicTree();
    for (const topic of ["plant/line1/lamp", "plant/line2/motor", "office/lamp"])
      tree.add(message(topic));
    const names = tree.rows(new Set(), "LAMP").map((row) => row.level.path);
    expect(names).toEqual(["office", "office/lamp", "plant", "plant/line1", "plant/line1/lamp"]);
  });

  it("is bounded", () => {
    const tree = new TopicTree();
    for (let index = 0; index < TOPICS_MAX + 5; index += 1) tree.add(message(`t${index}`));
    expect(tree.size).toBe(TOPICS_MAX);
    expect(tree.left).toBe(5);
    tree.add(message(Array(100).fill("deep").join("/")));
    expect(tree.left).toBe(6);
  });
});
