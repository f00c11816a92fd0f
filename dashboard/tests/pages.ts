// Where the pages come from: the program has them; with PLEXUS_PAGES=dist they are those of the last `npm run build`.

import { preview } from "vite";

interface Pages {
  /** Where they are. */
  page: string;
  stop: () => Promise<void>;
}

/** The pages in front of a node. */
export async function startPages(node: string): Promise<Pages> {
  const from = process.env.PLEXUS_PAGES ?? "program";
  if (from === "program") return { page: node, stop: async () => {} };
  if (from !== "dist")
    throw new Error(`PLEXUS_PAGES is "${from}"; it is "program", "dist" or not set`);
  // They are held to what the program holds them to.
  const policy = (await fetch(node)).headers.get("content-security-policy");
  if (!policy) throw new Error(`${node} has no Content-Security-Policy`);
  const server = await preview({
    preview: {
      host: "127.0.0.1",
      port: 0,
      headers: { "Content-Security-Policy": policy },
      proxy: { "/api": node, "/metrics": node },
    },
  });
  const page = server.resolvedUrls?.local[0]?.replace(/\/$/, "");
  if (!page) throw new Error("the pages are served nowhere");
  return { page, stop: () => server.close() };
}
