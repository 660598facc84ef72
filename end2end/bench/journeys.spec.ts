/** What a person waits for, on the release binary; each line goes to `docs/benchmarks.md`. */
import { rm } from "node:fs/promises";
import { expect, hydrated, open, startServer, test } from "../tests/fixtures";

const RUNS = 5;

function report(name: string, values: number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  console.log(`| ${name} | ${Math.round(sorted[Math.floor(sorted.length / 2)])} ms |`);
}

test("first paint and hydration, cold and warm", async ({ browser, session, server }) => {
  for (const path of ["/", "/data-sources", "/projects/new", "/worksheets"]) {
    const paints: number[] = [];
    const takeovers: number[] = [];
    const warm: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const context = await browser.newContext({ baseURL: server.url, storageState: session });
      const page = await context.newPage();
      const load = async () => {
        await page.goto(path);
        await hydrated(page);
        return page.evaluate(() => ({
          paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
          now: performance.now(),
        }));
      };
      const cold = await load();
      paints.push(cold.paint);
      takeovers.push(cold.now);
      warm.push((await load()).now);
      await context.close();
    }
    report(`\`${path}\` first contentful paint, cold cache`, paints);
    report(`\`${path}\` interactive, cold cache`, takeovers);
    report(`\`${path}\` interactive, warm cache`, warm);
  }
});

test("from a fresh data directory to rows", async ({ browser }) => {
  const begun = performance.now();
  const server = await startServer({ password: null });
  try {
    const page = await (await browser.newContext()).newPage();
    await page.goto(server.signInLink!);
    await page.getByRole("button", { name: "Open worksheet" }).click();
    const editor = page.getByRole("textbox", { name: "SQL" });
    await editor.click();
    await page.keyboard.press("Control+Shift+Enter");
    await expect(page.getByText("CCC")).toBeVisible({ timeout: 30_000 });
    report("process start to rows on the screen", [performance.now() - begun]);
  } finally {
    await server.stop();
    await rm(server.dataDir, { recursive: true, force: true });
  }
});

test("the compressed first load", async ({ page }) => {
  await open(page, "/");
  const bytes = await page.evaluate(() =>
    performance.getEntriesByType("resource").reduce((sum, entry) => sum + (entry as PerformanceResourceTiming).encodedBodySize, 0),
  );
  console.log(`| first load of \`/\`, encoded | ${Math.round(bytes / 1024)} KiB |`);
});
