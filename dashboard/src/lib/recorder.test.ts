import { expect, it } from "vitest";
import { Recorder } from "./recorder";
import type { Message } from "./topics";

const message = (number: number, topic: string, text: string): Message => ({
  number,
  topic,
  payload: new TextEncoder().encode(text),
  qos: 0,
  retain: false,
  at: number * 1000,
});

it("takes the number of each message of its topic once", () => {
  const recorder = new Recorder("a", "t", undefined);
  const first = [
    message(1, "a", '{"t": 5}'),
    message(2, "b", '{"t": 9}'),
    message(3, "a", "no number"),
  ];
  expect(recorder.take(first)).toEqual([[1], [5]]);
  expect(recorder.take([...first, message(4, "a", '{"t": 6}')])).toEqual([
    [1, 4],
    [5, 6],
  ]);
});
