// What somebody is about to change, kept while other pages are looked at. It ends with the tab.

import type { EffectiveConfig } from "../api/client";
import { session } from "../api/session";
import { Store } from "../lib/store";
import { type Edit, isSame, valueAt } from "./values";

/** Edits that are not applied, against the version that they were made on. */
export interface Draft {
  version: number;
  edits: readonly Edit[];
  /** Keys that somebody else has changed meanwhile. */
  overtaken: readonly string[];
}

const NOTHING: Draft = { version: 0, edits: [], overtaken: [] };

/** The edits of this tab. */
export const draft = new Store<Draft>(NOTHING);

/** The draft with one more edit, or without one that changes nothing. */
export function withEdit(before: Draft, edit: Edit, version: number): Draft {
  const others = before.edits.filter((one) => one.key !== edit.key);
  const isChange = edit.value === undefined || !isSame(edit.seen, edit.value);
  const isFirst = before.edits.length === 0;
  return {
    version: isFirst ? version : before.version,
    edits: isChange ? [...others, edit] : others,
    overtaken: isFirst ? [] : before.overtaken,
  };
}

/** The draft without one of its edits. */
export function withoutEdit(before: Draft, key: string): Draft {
  return { ...before, edits: before.edits.filter((one) => one.key !== key) };
}

/** The draft against the configuration as it is now; it is told where somebody else came first. */
export function rebased(before: Draft, now: EffectiveConfig): Draft {
  const overtaken: string[] = [];
  const edits: Edit[] = [];
  for (const edit of before.edits) {
    const seen = valueAt(now.config, edit.path);
    if (!isSame(seen, edit.seen)) overtaken.push(edit.key);
    if (edit.value === undefined || !isSame(seen, edit.value)) edits.push({ ...edit, seen });
  }
  return { version: now.version, edits, overtaken };
}

/** Ends the draft. */
export function discard() {
  draft.set(NOTHING);
}

// Whoever logs in next has not made it.
session.follow(() => {
  if (!session.get()) discard();
});
