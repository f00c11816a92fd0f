// The tenants that the configuration names.

import { isTable, valueAt } from "./values";

/** A tenant with what it may have. */
export interface Tenant {
  name: string;
  limits: Record<string, unknown>;
}

/** All of them, as they stand there. */
export function tenantsOf(config: unknown): Tenant[] {
  const list = valueAt(config, ["access", "tenant"]);
  if (!Array.isArray(list)) return [];
  return list.flatMap((limits: unknown) =>
    isTable(limits) && typeof limits.name === "string" ? [{ name: limits.name, limits }] : [],
  );
}
