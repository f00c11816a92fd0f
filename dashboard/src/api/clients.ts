// Clients, as the pages ask for them.

import { ApiFailure, answered, api, type Client } from "./client";

/** Who a client is: its identifier, and its tenant where it has one. */
export interface Who {
  clientid: string;
  tenant?: string | undefined;
}

/** Browsers take these for steps in a path, however they are written. */
const isStep = (clientid: string) => clientid === "." || clientid === "..";

/** One client; it fails where there is none. */
export async function getClient({ clientid, tenant }: Who): Promise<Client> {
  if (!isStep(clientid)) {
    const params = { path: { clientid }, query: tenant ? { tenant } : {} };
    return answered(api.GET("/api/v5/clients/{clientid}", { params }));
  }
  const query = { clientid: [clientid], ...(tenant ? { tenant } : {}) };
  const page = await answered(api.GET("/api/v5/clients", { params: { query } }));
  const found = page.data.find((client) => (client.tenant ?? undefined) === tenant);
  if (!found) throw new ApiFailure("There is no such client.", 404, "CLIENTID_NOT_FOUND");
  return found;
}

/** Disconnects clients and ends their sessions. */
export async function kick(clients: readonly Who[]): Promise<void> {
  const tenants = new Map<string | undefined, string[]>();
  for (const { clientid, tenant } of clients) {
    tenants.set(tenant, [...(tenants.get(tenant) ?? []), clientid]);
  }
  for (const [tenant, body] of tenants) {
    const params = { query: tenant ? { tenant } : {} };
    await answered(api.POST("/api/v5/clients/kickout/bulk", { params, body }));
  }
}

/** Where a client is shown. */
export function clientPath({ clientid, tenant }: Who): string {
  const words = new URLSearchParams({ id: clientid });
  if (tenant) words.set("tenant", tenant);
  return `/clients/detail?${words}`;
}
