import { defineConfig } from "@playwright/test";

// Debian's own browser: nothing is downloaded. Chromium refuses its sandbox to root.
const isRoot = process.getuid?.() === 0;

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results/runs",
  globalSetup: "./tests/start.ts",
  workers: 1,
  // A machine that does other things meanwhile is no mistake of a page; what was tried again is told.
  retries: process.env.CI ? 1 : 0,
  fullyParallel: false,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  use: {
    viewport: { width: 1360, height: 850 },
    locale: "en-GB",
    timezoneId: "UTC",
    trace: "off",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: isRoot ? ["--no-sandbox"] : [],
    },
  },
});
