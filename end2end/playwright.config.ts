import { defineConfig, devices } from "@playwright/test";

// Each worker starts a server of its own: see tests/fixtures.ts.
export default defineConfig({
  testDir: "./tests",
  outputDir: "./test-results/out",
  fullyParallel: true,
  forbidOnly: true,
  // A test that passes at the second attempt hides a fault.
  retries: 0,
  workers: Number(process.env.LAKEDECK_WORKERS ?? 2),
  // A stopped page is told by the waits of each step; a busy machine must not end a test that goes on.
  timeout: 180_000,
  expect: { timeout: 15_000 },
  reporter: [["list"], ["json", { outputFile: "./test-results/results.json" }]],
  use: {
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-dev-shm-usage"],
    },
  },
  projects: [{ name: "chromium", use: { ...devices["Desktop Chrome"], viewport: { width: 1440, height: 900 } } }],
});
