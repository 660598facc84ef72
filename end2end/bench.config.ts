import { defineConfig, devices } from "@playwright/test";

// `cargo xtask bench`: one worker, nothing beside it, tables on stdout.
export default defineConfig({
  testDir: "./bench",
  testMatch: "*.bench.ts",
  outputDir: "./test-results/bench",
  workers: 1,
  timeout: 300_000,
  reporter: [["line"]],
  use: {
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-dev-shm-usage", "--js-flags=--expose-gc"],
    },
  },
  projects: [{ name: "chromium", use: { ...devices["Desktop Chrome"], viewport: { width: 1440, height: 900 } } }],
});
