// Long lists, page by page with a cursor.

import { useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import type { Meta } from "./client";

interface Part<T> {
  data: T[];
  meta: Meta;
}

/** How much a page has, and how much a list that has to be there as a whole. */
export const PART = 200;
export const WHOLE = 10_000;
/** Lists of more parts than these are looked at anew only when somebody says so. */
const FOLLOWED = 3;
const REFRESH = 5000;
/** The cursor of the first page. */
const FIRST = "none";

/** A list that grows as one scrolls. */
export function useWalk<T>(key: unknown[], ask: (cursor: string) => Promise<Part<T>>) {
  const walk = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => ask(pageParam),
    initialPageParam: FIRST,
    getNextPageParam: ({ meta }) => (meta.hasnext ? (meta.cursor ?? undefined) : undefined),
    refetchInterval: (query) =>
      (query.state.data?.pages.length ?? 0) <= FOLLOWED ? REFRESH : false,
  });
  const pages = walk.data?.pages;
  const rows = useMemo(() => pages?.flatMap((page) => page.data) ?? [], [pages]);
  const { hasNextPage, isFetching, fetchNextPage } = walk;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetching) fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);
  return {
    rows,
    onEnd,
    count: pages?.[0]?.meta.count ?? undefined,
    hasMore: hasNextPage,
    isFollowed: (pages?.length ?? 0) <= FOLLOWED,
    isLoading: walk.isLoading,
    isFetching,
    error: walk.data ? undefined : walk.error,
    refetch: () => walk.refetch(),
  };
}

/** A list whose pages have numbers, as it is scrolled. */
export function usePages<T>(key: unknown[], ask: (page: number) => Promise<Part<T>>) {
  return useWalk(key, async (cursor) => {
    const page = cursor === FIRST ? 1 : Number(cursor);
    const { data, meta } = await ask(page);
    return { data, meta: { ...meta, cursor: String(page + 1) } };
  });
}

/** What a walk says below its list. */
export type Walk<T> = ReturnType<typeof useWalk<T>>;
