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

/** A list that grows as one scrolls. */
export function useWalk<T>(key: unknown[], ask: (cursor: string) => Promise<Part<T>>) {
  const walk = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => ask(pageParam),
    initialPageParam: "none",
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

/** What a walk says below its list. */
export type Walk<T> = ReturnType<typeof useWalk<T>>;
