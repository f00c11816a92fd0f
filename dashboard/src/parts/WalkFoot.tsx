import { Button } from "@mantine/core";
import type { Walk } from "../api/walk";
import { count } from "../lib/format";

/** How much of a list is there, and whether it follows what happens. */
export function WalkFoot<T>({ walk, note }: { walk: Walk<T>; note?: string | undefined }) {
  const shown = count(walk.rows.length);
  const all = walk.count === undefined ? "" : ` of ${count(walk.count)}`;
  return (
    <>
      <span>{walk.hasMore ? `${shown}${all} loaded, more as you scroll` : `${shown} shown`}</span>
      {note && <span>{note}</span>}
      <span style={{ marginLeft: "auto" }}>
        {walk.isFollowed ? (
          "Looked at anew every 5 s"
        ) : (
          <Button
            size="compact-xs"
            variant="default"
            loading={walk.isFetching}
            onClick={walk.refetch}
          >
            Look anew
          </Button>
        )}
      </span>
    </>
  );
}
