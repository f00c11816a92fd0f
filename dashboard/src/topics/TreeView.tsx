// The tree of topics: only the rows that can be seen are there; keys move as in any tree.

import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useMemo, useRef } from "react";
import { short } from "../lib/format";
import { preview } from "../lib/payload";
import type { Level, TopicTree } from "../lib/topics";
import { Icon } from "../parts/Icon";
import { RetainedMark } from "./TopicDetail";
import styles from "./topics.module.css";

const ROW = 28;

interface TreeViewProps {
  tree: TopicTree;
  version: number;
  open: ReadonlySet<string>;
  setOpen: (open: ReadonlySet<string>) => void;
  selected: string | undefined;
  select: (path: string) => void;
  wanted: string;
}

/** The tree, with the last value and the rate of each topic. */
export function TreeView({
  tree,
  version,
  open,
  setOpen,
  selected,
  select,
  wanted,
}: TreeViewProps) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version stands for what is in the tree
  const rows = useMemo(() => tree.rows(open, wanted), [tree, version, open, wanted]);
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW,
    overscan: 16,
  });
  const at = rows.findIndex((row) => row.level.path === selected);
  const toggle = (path: string, isOpen: boolean) => {
    const after = new Set(open);
    if (isOpen) after.add(path);
    else after.delete(path);
    setOpen(after);
  };
  const go = (index: number) => {
    const row = rows[Math.max(0, Math.min(index, rows.length - 1))];
    if (!row) return;
    select(row.level.path);
    virtual.scrollToIndex(rows.indexOf(row));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[at];
    const turn = (isOpen: boolean) => row && toggle(row.level.path, isOpen);
    const act = new Map([
      ["ArrowDown", () => go(at + 1)],
      ["ArrowUp", () => go(at - 1)],
      ["Home", () => go(0)],
      ["End", () => go(rows.length - 1)],
      ["ArrowRight", () => turn(true)],
      ["ArrowLeft", () => turn(false)],
    ]).get(event.key);
    if (!act) return;
    event.preventDefault();
    act();
  };
  return (
    <div
      ref={scroll}
      className={styles.scroll}
      role="tree"
      aria-label="Topics"
      tabIndex={0}
      aria-activedescendant={at >= 0 ? `topic-${at}` : undefined}
      onKeyDown={onKeyDown}
    >
      <div className={styles.rows} role="presentation" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const row = rows[item.index];
          return row ? (
            <Branch
              key={row.level.path}
              index={item.index}
              {...row}
              isOpen={open.has(row.level.path) || wanted !== ""}
              isSelected={item.index === at}
              select={select}
              toggle={toggle}
            />
          ) : null;
        })}
      </div>
    </div>
  );
}

interface BranchProps {
  index: number;
  level: Level;
  depth: number;
  isOpen: boolean;
  isSelected: boolean;
  select: (path: string) => void;
  toggle: (path: string, isOpen: boolean) => void;
}

function Branch({ index, level, depth, isOpen, isSelected, select, toggle }: BranchProps) {
  const hasMore = level.children.size > 0;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree around has the keys
    <div
      id={`topic-${index}`}
      role="treeitem"
      aria-level={depth + 1}
      aria-expanded={hasMore ? isOpen : undefined}
      aria-selected={isSelected}
      data-active={level.rate > 0}
      className={styles.level}
      style={{ transform: `translateY(${index * ROW}px)`, paddingLeft: 10 + depth * 18 }}
      onClick={() => {
        select(level.path);
        if (hasMore && (!level.last || isSelected)) toggle(level.path, !isOpen);
      }}
    >
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the tree around has the keys */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: it is a larger target for pointers only */}
      <span
        className={styles.twist}
        onClick={(event) => {
          event.stopPropagation();
          toggle(level.path, !isOpen);
        }}
      >
        {hasMore && <Icon name={isOpen ? "down" : "right"} size={13} />}
      </span>
      <span className={`mono cut ${styles.levelName}`} title={level.path}>
        {level.name === "" ? "(empty)" : level.name}
      </span>
      {level.retained && <RetainedMark />}
      <span className={`mono cut ${styles.value}`}>
        {level.last ? preview(level.last.payload, 60) : ""}
      </span>
      <span className={`number ${styles.rate}`}>
        {level.rate > 0 ? `${short(level.rate)}/s` : ""}
      </span>
    </div>
  );
}
