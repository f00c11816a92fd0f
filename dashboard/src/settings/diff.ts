// The difference between two texts, line by line.

/** A line that is in both, only in the first, or only in the second. */
export interface DiffLine {
  kind: "same" | "gone" | "new";
  text: string;
}

/** Up to so many lines of each the longest common sequence is looked for; beyond, all of them are replaced. */
const CLOSE = 1000;

/** The lines of both, in their order. */
export function diffLines(from: string, to: string): DiffLine[] {
  const a = from === "" ? [] : from.split("\n");
  const b = to === "" ? [] : to.split("\n");
  let head = 0;
  while (head < Math.min(a.length, b.length) && a[head] === b[head]) head += 1;
  let tail = 0;
  const most = Math.min(a.length, b.length) - head;
  while (tail < most && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const marked = (kind: DiffLine["kind"], lines: string[]) =>
    lines.map((text): DiffLine => ({ kind, text }));
  return [
    ...marked("same", a.slice(0, head)),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...marked("same", a.slice(a.length - tail)),
  ];
}

function middle(a: string[], b: string[]): DiffLine[] {
  const gone = (text = ""): DiffLine => ({ kind: "gone", text });
  const fresh = (text = ""): DiffLine => ({ kind: "new", text });
  if (a.length > CLOSE || b.length > CLOSE)
    return [...a.map((text) => gone(text)), ...b.map((text) => fresh(text))];
  const common = commonLengths(a, b);
  const lines: DiffLine[] = [];
  let left = 0;
  let right = 0;
  while (left < a.length && right < b.length) {
    const text = a[left];
    if (text !== undefined && text === b[right]) {
      lines.push({ kind: "same", text });
      left += 1;
      right += 1;
    } else if (isLeftNext(common, left, right)) lines.push(gone(a[left++]));
    else lines.push(fresh(b[right++]));
  }
  return [
    ...lines,
    ...a.slice(left).map((text) => gone(text)),
    ...b.slice(right).map((text) => fresh(text)),
  ];
}

const isLeftNext = (common: number[][], left: number, right: number) =>
  (common[left + 1]?.[right] ?? 0) >= (common[left]?.[right + 1] ?? 0);

/** How much the two have in common from each pair of places on. */
function commonLengths(a: string[], b: string[]): number[][] {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let left = a.length - 1; left >= 0; left -= 1) {
    const row = table[left];
    const below = table[left + 1];
    if (!row || !below) continue;
    for (let right = b.length - 1; right >= 0; right -= 1) {
      row[right] =
        a[left] === b[right]
          ? (below[right + 1] ?? 0) + 1
          : Math.max(below[right] ?? 0, row[right + 1] ?? 0);
    }
  }
  return table;
}
