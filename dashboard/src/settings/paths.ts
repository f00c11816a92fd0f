/** Where a key is shown and changed. */
export function keyPath(key: string): string {
  return `/settings?${new URLSearchParams({ find: key })}`;
}
