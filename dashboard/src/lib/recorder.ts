// One number of the messages of a topic, over time.

import { detect, type Format, numbers, read } from "./payload";
import { type Columns, Series } from "./series";
import type { Message } from "./topics";

/** Values that are kept. */
const KEPT = 2000;

/** The numbers in a message, by their paths. */
export function numbersOf(message: Message, format: Format | undefined): Map<string, number> {
  return numbers(read(message.payload, format ?? detect(message.payload))?.value);
}

/** Takes the number out of each message once, however often it is shown the list. */
export class Recorder {
  private series = new Series(["value"], KEPT);
  private upto = 0;

  constructor(
    private readonly topic: string,
    private readonly field: string,
    private readonly format: Format | undefined,
  ) {}

  /** Looks at the messages that it has not seen; what is yielded can be drawn. */
  take(messages: readonly Message[]): Columns {
    for (const message of messages) {
      if (message.number <= this.upto) continue;
      this.upto = message.number;
      if (message.topic !== this.topic || message.at === undefined) continue;
      const value = numbersOf(message, this.format).get(this.field);
      if (value !== undefined) this.series.push(message.at, [value]);
    }
    return this.series.data(["value"]);
  }
}
