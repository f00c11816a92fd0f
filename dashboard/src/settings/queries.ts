// The configuration of the node, as the pages ask for it.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ApiFailure, answered, api, type ConfigOutcome } from "../api/client";
import { type Edit, patchOf } from "./values";

/** Somebody else may change it while it is looked at. */
const REFRESH = 15_000;
const KEY = "configs";

/** All keys with their values. */
export function useConfig() {
  return useQuery({
    queryKey: [KEY, "all"],
    queryFn: () => answered(api.GET("/api/v5/configs")),
    refetchInterval: REFRESH,
  });
}

/** What was changed over the file. */
export function useChanges() {
  return useQuery({
    queryKey: [KEY, "changes"],
    queryFn: () => answered(api.GET("/api/v5/configs/changes")),
    refetchInterval: REFRESH,
  });
}

/** The versions of the changes, the newest first. */
export function useHistory() {
  return useQuery({
    queryKey: [KEY, "history"],
    queryFn: () => answered(api.GET("/api/v5/configs/history")),
    refetchInterval: REFRESH,
  });
}

/** Has all of them looked at anew. */
export function useRefresh(): () => Promise<void> {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: [KEY] });
}

/** Changes keys, or says only what would come of it. */
export function change(
  version: number,
  edits: readonly Edit[],
  { isTrial, why }: { isTrial: boolean; why?: string },
): Promise<ConfigOutcome> {
  const body = { version, patch: patchOf(edits), ...(why ? { why } : {}) };
  const params = { query: { dry_run: isTrial } };
  return answered(api.PUT("/api/v5/configs", { params, body }));
}

/** Has an earlier version hold again, or says only what would come of it. */
export function rollBack(
  version: number,
  to: number,
  { isTrial, why }: { isTrial: boolean; why?: string },
): Promise<ConfigOutcome> {
  const body = { version, to, ...(why ? { why } : {}) };
  const params = { query: { dry_run: isTrial } };
  return answered(api.POST("/api/v5/configs/rollback", { params, body }));
}

/** Whether somebody else has changed something first. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiFailure && error.code === "VERSION_CONFLICT";
}
