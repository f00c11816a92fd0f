// Filters stand in the address, so that a view can be kept, shared and gone back to.

import { useCallback } from "react";
import { useSearchParams } from "react-router";

/** The words of the address, and how to set some of them; empty ones are left out. */
export function useParams(): [URLSearchParams, (changed: Record<string, string>) => void] {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (changed: Record<string, string>) => {
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          for (const [name, value] of Object.entries(changed)) {
            if (value === "") after.delete(name);
            else after.set(name, value);
          }
          return after;
        },
        { replace: true },
      );
    },
    [setParams],
  );
  return [params, set];
}
