// Subscriptions, in words.

/** The options of a subscription that are not as usual, in words. */
export function optionsOf(row: { nl: number; rap: number; rh: number }): string {
  const words = [
    row.nl === 1 && "not its own messages",
    row.rap === 1 && "retain as published",
    row.rh === 1 && "retained only when new",
    row.rh === 2 && "no retained messages",
  ];
  return words.filter(Boolean).join(", ");
}
