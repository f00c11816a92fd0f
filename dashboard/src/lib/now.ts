// The time of day for everything that says how long ago something was: one clock for the whole page.

import { useSyncExternalStore } from "react";

let now = Date.now();
const followers = new Set<() => void>();
let clock: ReturnType<typeof setInterval> | undefined;

function follow(follower: () => void): () => void {
  followers.add(follower);
  clock ??= setInterval(() => {
    now = Date.now();
    for (const one of followers) one();
  }, 1000);
  return () => {
    followers.delete(follower);
    if (followers.size === 0) {
      clearInterval(clock);
      clock = undefined;
    }
  };
}

/** Now, in milliseconds; it moves once a second. */
export function useNow(): number {
  return useSyncExternalStore(follow, () => now);
}
