import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `npm run dev` speaks to a node that runs: PLEXUS_API says where its API is.
const node = process.env.PLEXUS_API ?? "http://127.0.0.1:18083";

const proxy = { "/api": node, "/metrics": node };

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // The Content-Security-Policy takes images from files and blobs only.
    chunkSizeWarningLimit: 400,
    sourcemap: false,
    manifest: true,
  },
  server: { host: "127.0.0.1", proxy, fs: { allow: [".", "../docs"] } },
  preview: { host: "127.0.0.1", proxy },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
