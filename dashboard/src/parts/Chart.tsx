// Lines over time, drawn by uPlot.

import { useComputedColorScheme } from "@mantine/core";
import { type ReactNode, useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Columns } from "../lib/series";
import { Panel } from "./Page";
import styles from "./parts.module.css";

/** A line of a chart. Its colour is one of four that eyes of all kinds tell apart; its dashes help. */
export interface Line {
  label: string;
  colour: 1 | 2 | 3 | 4;
  dash?: number[];
}

interface ChartProps {
  title: ReactNode;
  /** What it shows, for who does not see it. */
  label: string;
  lines: Line[];
  /** Moments, and the values of each line. */
  data: Columns;
  format: (value: number) => string;
  height?: number;
  /** Whether the values are bytes, which are counted by powers of two. */
  isBytes?: boolean;
  className?: string | undefined;
  /** Whether the axis begins at zero; it does unless something else is said. */
  isFromZero?: boolean;
}

/** Steps of the axes: whole seconds to hours, and powers of two for bytes. */
const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600];
const POWERS = Array.from({ length: 44 }, (_, power) => 2 ** power);
const LETTER = 6.6;

function colourOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** From zero to a little above the largest, and never flat. */
function fromZero(_: uPlot, low: number | null, high: number | null): [number, number] {
  return [Math.min(0, low ?? 0), Math.max(high ?? 0, 1) * 1.08];
}

function optionsOf(
  props: ChartProps,
  width: number,
  onHover: (index?: number | null) => void,
): uPlot.Options {
  const muted = colourOf("--muted");
  const grid = { stroke: colourOf("--line"), width: 1 };
  const axis = { stroke: muted, grid, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  return {
    width,
    height: props.height ?? 180,
    padding: [8, 30, 0, 0],
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    legend: { show: false },
    scales: props.isFromZero === false ? {} : { y: { range: fromZero } },
    axes: [
      { ...axis, space: 76, size: 26, incrs: SECONDS, values: clockValues },
      {
        ...axis,
        size: widthOf,
        space: 34,
        values: (_, ticks) => ticks.map(props.format),
        ...(props.isBytes ? { incrs: POWERS } : {}),
      },
    ],
    series: [{}, ...props.lines.map(seriesOf)],
    hooks: { setCursor: [(plot) => onHover(plot.cursor.idx)] },
  };
}

function seriesOf(line: Line, index: number): uPlot.Series {
  const stroke = colourOf(`--series-${line.colour}`);
  const fill = index === 0 ? `color-mix(in srgb, ${stroke} 12%, transparent)` : undefined;
  return {
    label: line.label,
    stroke,
    width: 1.5,
    points: { show: false },
    ...(fill ? { fill } : {}),
    ...(line.dash ? { dash: line.dash } : {}),
  };
}

/** As wide as the longest of the words at the axis. */
function widthOf(_: uPlot, values: string[] | null): number {
  const longest = Math.max(3, ...(values ?? []).map((value) => value.length));
  return Math.ceil(longest * LETTER) + 14;
}

function clockValues(_: uPlot, ticks: number[]): string[] {
  return ticks.map((tick) => new Date(tick * 1000).toLocaleTimeString("sv-SE"));
}

/** A chart with its legend, which tells the values below the pointer, else the last ones. */
export function Chart(props: ChartProps) {
  const { data, lines, format, label, height = 180 } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const newest = useRef(props);
  newest.current = props;
  const [hovered, setHovered] = useState<number | null>();
  const scheme = useComputedColorScheme("dark");
  const shape = `${scheme} ${height} ${lines.map((line) => line.label + line.colour).join()}`;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for what a new drawing needs
  useEffect(() => {
    const target = place.current;
    if (!target) return;
    const options = optionsOf(newest.current, target.clientWidth, setHovered);
    const drawn = new uPlot(options, newest.current.data, target);
    plot.current = drawn;
    const resized = new ResizeObserver(() => {
      drawn.setSize({ width: target.clientWidth, height: options.height });
    });
    resized.observe(target);
    return () => {
      resized.disconnect();
      drawn.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data]);

  const last = data[0].length - 1;
  const values = lines.map((_, line) => data[line + 1]?.[hovered ?? last] ?? Number.NaN);
  const told = lines.map((line, index) => `${line.label} ${format(values[index] ?? Number.NaN)}`);
  return (
    <Panel
      title={props.title}
      isPadded={false}
      className={props.className}
      aside={<Legend lines={lines} values={values} format={format} />}
    >
      <div className={styles.chartBody}>
        <div
          ref={place}
          className={styles.chart}
          style={{ height }}
          role="img"
          aria-label={`${label}: ${told.join(", ")}`}
        >
          {last < 1 && <div className={styles.waiting}>Drawn as values come in…</div>}
        </div>
      </div>
    </Panel>
  );
}

interface LegendProps {
  lines: Line[];
  values: number[];
  format: (value: number) => string;
}

function Legend({ lines, values, format }: LegendProps) {
  return (
    <div className={styles.legend} aria-hidden="true">
      {lines.map((line, index) => (
        <span key={line.label} className={styles.key}>
          <svg width="16" height="6" aria-hidden="true">
            <line
              x1="0"
              x2="16"
              y1="3"
              y2="3"
              strokeWidth="2.5"
              stroke={`var(--series-${line.colour})`}
              strokeDasharray={line.dash?.join(" ")}
            />
          </svg>
          {line.label} <b>{format(values[index] ?? Number.NaN)}</b>
        </span>
      ))}
    </div>
  );
}
