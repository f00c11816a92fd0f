// Values over time, bounded, for charts.

/** Moments in seconds, and columns of values. */
export type Columns = [moments: number[], ...values: (number | null)[][]];

/** Columns of numbers that share their moments; uPlot draws them as they are. */
export class Series {
  private moments: number[] = [];
  private columns: number[][];

  constructor(
    readonly names: readonly string[],
    private readonly kept: number,
  ) {
    this.columns = names.map(() => []);
  }

  /** Takes a value of each column at a moment in milliseconds. Moments go forward only. */
  push(at: number, values: readonly number[]) {
    const seconds = at / 1000;
    if (seconds <= (this.moments.at(-1) ?? Number.NEGATIVE_INFINITY)) return;
    this.moments.push(seconds);
    for (const [index, column] of this.columns.entries()) column.push(values[index] ?? Number.NaN);
    if (this.moments.length > this.kept) {
      this.moments.shift();
      for (const column of this.columns) column.shift();
    }
  }

  get length(): number {
    return this.moments.length;
  }

  /** What is kept of the named columns, behind their moments in seconds; null where there is no value. */
  data(names: readonly string[]): Columns {
    const drawn = (value: number) => (Number.isNaN(value) ? null : value);
    return [this.moments.slice(), ...names.map((name) => this.column(name).map(drawn))];
  }

  /** The values of one column. */
  column(name: string): readonly number[] {
    return this.columns[this.names.indexOf(name)] ?? [];
  }

  /** The last value of a column. */
  last(name: string): number | undefined {
    return this.column(name).at(-1);
  }
}
