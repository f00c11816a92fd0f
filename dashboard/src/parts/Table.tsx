// Long lists: only the rows that can be seen are there, and more are fetched when the end comes near.

import { useViewportSize } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useRef } from "react";
import { Icon } from "./Icon";
import styles from "./Table.module.css";

/** A column of a table. */
export interface Column<T> {
  key: string;
  title: ReactNode;
  /** Its width, as a track of a CSS grid. */
  width: string;
  cell: (row: T) => ReactNode;
  /** What is sorted by; without it the column cannot be. */
  sort?: (row: T) => string | number;
  isNumber?: boolean;
  /** The window has to be so wide for the column to be shown. */
  from?: number;
}

/** By which column a list is sorted. */
export interface Sorting {
  key: string;
  isDescending: boolean;
}

interface TableProps<T> {
  label: string;
  rows: readonly T[];
  columns: Column<T>[];
  id: (row: T) => string;
  isSelected?: (row: T) => boolean;
  sorting?: Sorting | undefined;
  onSort?: (sorting: Sorting | undefined) => void;
  /** Called when the end comes near. */
  onEnd?: (() => void) | undefined;
  /** What stands in the place of rows when there are none. */
  empty: ReactNode;
  foot?: ReactNode;
}

const ROW = 38;
const NEAR = 20;

/** Rows in the order of a column; rows that are equal stay as they were. */
export function sortRows<T>(
  rows: readonly T[],
  columns: Column<T>[],
  sorting?: Sorting,
): readonly T[] {
  const by = columns.find((column) => column.key === sorting?.key)?.sort;
  if (!by || !sorting) return rows;
  const sign = sorting.isDescending ? -1 : 1;
  return [...rows].sort((a, b) => sign * compare(by(a), by(b)));
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

/** A table that scrolls by itself. */
export function Table<T>(props: TableProps<T>) {
  const { rows, onEnd, label } = props;
  const { width } = useViewportSize();
  const columns = props.columns.filter((column) => (width || 1280) >= (column.from ?? 0));
  const tracks = columns.map((column) => column.width).join(" ");
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW,
    overscan: 12,
    scrollMargin: 34,
  });
  const items = virtual.getVirtualItems();
  const lastSeen = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (onEnd && lastSeen >= rows.length - NEAR) onEnd();
  }, [onEnd, lastSeen, rows.length]);

  return (
    <div className={styles.frame}>
      <div
        ref={scroll}
        className={styles.scroll}
        role="table"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        tabIndex={0}
      >
        <div role="rowgroup" className={styles.head}>
          <div
            role="row"
            aria-rowindex={1}
            className={styles.row}
            style={{ gridTemplateColumns: tracks, height: 34, border: 0 }}
          >
            {columns.map((column) => (
              <Head
                key={column.key}
                column={column}
                sorting={props.sorting}
                onSort={props.onSort}
              />
            ))}
          </div>
        </div>
        {rows.length === 0 ? (
          props.empty
        ) : (
          <div role="rowgroup" className={styles.body} style={{ height: virtual.getTotalSize() }}>
            {items.map((item) => {
              const row = rows[item.index];
              return row === undefined ? null : (
                <Row
                  key={props.id(row)}
                  row={row}
                  index={item.index}
                  columns={columns}
                  tracks={tracks}
                  isSelected={props.isSelected?.(row)}
                />
              );
            })}
          </div>
        )}
      </div>
      {props.foot && <div className={styles.foot}>{props.foot}</div>}
    </div>
  );
}

interface RowProps<T> {
  row: T;
  index: number;
  columns: Column<T>[];
  tracks: string;
  isSelected: boolean | undefined;
}

function Row<T>({ row, index, columns, tracks, isSelected }: RowProps<T>) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      className={styles.row}
      style={{ gridTemplateColumns: tracks, transform: `translateY(${index * ROW}px)` }}
    >
      {columns.map((column) => (
        <div
          key={column.key}
          role="cell"
          className={`${styles.cell} ${column.isNumber ? styles.end : ""}`}
        >
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}

interface HeadProps<T> {
  column: Column<T>;
  sorting: Sorting | undefined;
  onSort: ((sorting: Sorting | undefined) => void) | undefined;
}

function Head<T>({ column, sorting, onSort }: HeadProps<T>) {
  const place = `${styles.cell} ${column.isNumber ? styles.end : ""}`;
  if (!column.sort || !onSort) {
    return (
      <div role="columnheader" className={place}>
        {column.title}
      </div>
    );
  }
  const isBy = sorting?.key === column.key;
  const direction = sorting?.isDescending ? "descending" : "ascending";
  return (
    <div role="columnheader" className={place} aria-sort={isBy ? direction : "none"}>
      <button
        type="button"
        className={styles.sort}
        onClick={() => onSort(next(column.key, sorting))}
      >
        {column.title}
        {isBy && <Icon name={sorting?.isDescending ? "down" : "up"} size={11} />}
      </button>
    </div>
  );
}

/** Up, down, and as it comes. */
function next(key: string, sorting: Sorting | undefined): Sorting | undefined {
  if (sorting?.key !== key) return { key, isDescending: false };
  return sorting.isDescending ? undefined : { key, isDescending: true };
}
