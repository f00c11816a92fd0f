import { expect, it } from "vitest";
import { EventReader } from "./events";

it("yields events when they are whole, wherever the text was cut", () => {
  const reader = new EventReader();
  const text = ': beat\n\nevent: topics\ndata: {"a":\ndata: 1}\n\ndata:x\n\nevent: lost\n\n';
  const found = [...text].flatMap((letter) => reader.take(letter));
  expect(found).toEqual([
    { name: "topics", data: '{"a":\n1}' },
    { name: "message", data: "x" },
  ]);
});
