// Rules while they are written: in their order, each with a number by which it is known.

import type { AccountRule } from "../api/client";
import { filterFault } from "../lib/topics";

/** A rule that is being written. */
export interface Draft extends AccountRule {
  number: number;
}

let last = 0;

/** The rules, each with its number. */
export function drafted(rules: readonly AccountRule[]): Draft[] {
  return rules.map((rule) => {
    last += 1;
    return { ...rule, number: last };
  });
}

/** One more rule. */
export function fresh(): Draft[] {
  return drafted([{ permission: "allow", action: "all", topic: "" }]);
}

/** The rules as they are sent: what says nothing is left out. */
export function finished(drafts: readonly Draft[]): AccountRule[] {
  return drafts.map(({ number, qos, retain, ...rule }) => ({
    ...rule,
    ...(qos && qos.length > 0 && qos.length < 3 ? { qos: [...qos].sort() } : {}),
    ...(retain !== undefined && retain !== "all" ? { retain } : {}),
  }));
}

/** The rules with one of them at another place. */
export function moved(drafts: readonly Draft[], from: number, to: number): Draft[] {
  const rest = drafts.filter((_, index) => index !== from);
  const one = drafts[from];
  return one ? [...rest.slice(0, to), one, ...rest.slice(to)] : [...drafts];
}

/** What is wrong with the topic of a rule. */
export function topicFaultOf(topic: string): string | undefined {
  return topic === "" ? "Say a topic or filter" : filterFault(topic);
}

/** A rule in a few words. */
export function wordsOf({ permission, action, topic }: AccountRule): string {
  return `${permission} ${action === "all" ? "all" : action} ${topic}`;
}
