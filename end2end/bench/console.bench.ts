// What the console costs in a browser, on localhost. Prints Markdown rows; judges nothing.
import { type Browser, type BrowserContext, expect, type Page, test } from "@playwright/test";
import { mkdtemp, rm } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signIn, startServer } from "../tests/fixtures";

const REPEATS = 5;
const ROWS = 1_000_000;
/** How many places of the grid are looked at between its ends. */
const STOPS = 20;

const report = (line: string) => console.log(line);
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const shown = (values: number[], unit: string) =>
  `${Math.round(median(values))} ${unit} (${Math.round(Math.min(...values))}–${Math.round(Math.max(...values))})`;

test("a fresh data directory to the first rows on screen", async ({ browser }) => {
  const times: number[] = [];
  for (let n = 0; n < REPEATS; n++) {
    const dataDir = await mkdtemp(join(tmpdir(), "lakedeck-bench-"));
    const begun = performance.now();
    const server = await startServer({ dataDir, password: null });
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(server.signInLink!);
    await page.getByRole("button", { name: "Open worksheet" }).click();
    await expect(page.locator(".cm-content")).toBeVisible();
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+Shift+Enter");
    await expect(page.getByRole("gridcell").first()).toBeVisible({ timeout: 30_000 });
    times.push(performance.now() - begun);
    await context.close();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
  report(`| fresh data directory to first rows on screen | ${shown(times, "ms")} |`);
});

test("first paint and interactive of a worksheet", async ({ browser }) => {
  const dataDir = await mkdtemp(join(tmpdir(), "lakedeck-bench-"));
  const server = await startServer({ dataDir });
  const state = await signIn(server.url);
  const address = await newWorksheet(browser, server.url, state);
  for (const label of ["cold", "warm"]) {
    const paints: number[] = [];
    const interactives: number[] = [];
    const editors: number[] = [];
    let bytes = 0;
    const warm = label === "warm" ? await browser.newContext({ storageState: state }) : undefined;
    if (warm) await load(warm, address);
    for (let n = 0; n < REPEATS; n++) {
      const context = warm ?? (await browser.newContext({ storageState: state }));
      const timing = await load(context, address);
      paints.push(timing.paint);
      interactives.push(timing.hydrated);
      editors.push(timing.editor);
      bytes = timing.bytes;
      if (!warm) await context.close();
    }
    await warm?.close();
    report(`| worksheet, ${label}: first contentful paint | ${shown(paints, "ms")} |`);
    report(`| worksheet, ${label}: interactive (hydrated) | ${shown(interactives, "ms")} |`);
    report(`| worksheet, ${label}: editor takes keys | ${shown(editors, "ms")} |`);
    report(`| worksheet, ${label}: bytes over the wire | ${bytes} |`);
  }
  await server.stop();
  await rm(dataDir, { recursive: true, force: true });
});

test("scrolling a result of 1,000,000 rows from end to end", async ({ browser }) => {
  const dataDir = await mkdtemp(join(tmpdir(), "lakedeck-bench-"));
  const server = await startServer({ dataDir });
  const state = await signIn(server.url);
  const context = await browser.newContext({ storageState: state });
  const page = await context.newPage();
  await page.goto(await newWorksheet(browser, server.url, state));
  await page.locator(".cm-content").click();
  await page.keyboard.insertText(
    `SELECT value AS id, concat('row ', CAST(value AS STRING)) AS name, value / 7 AS share, value % 97 AS part FROM range(0, ${ROWS});`,
  );
  const begun = performance.now();
  await page.keyboard.press("Control+Shift+Enter");
  await expect(page.getByRole("gridcell").first()).toBeVisible({ timeout: 120_000 });
  report(`| ${ROWS} rows of a computed SELECT: key chord to rows on screen | ${Math.round(performance.now() - begun)} ms |`);

  const memory = await meter(browser, page);
  const grid = page.locator(".dgrid-viewport");
  const last = page.getByRole("rowheader", { name: "1,000,000", exact: true });
  report(`| browser at row 1 | ${await memory()} |`);
  for (let stop = 1; stop <= STOPS; stop++) {
    // Small steps as a wheel makes them, then a rest so that the rows arrive.
    await grid.evaluate(
      async (element, part) => {
        const range = element.scrollHeight - element.clientHeight;
        const [from, to] = [element.scrollTop, range * part];
        for (let n = 1; n <= 20; n++) {
          element.scrollTop = from + ((to - from) * n) / 20;
          await new Promise(requestAnimationFrame);
        }
      },
      stop / STOPS,
    );
    await page.waitForTimeout(150);
    if (stop % 5 === 0) report(`| browser at row ${Math.round((ROWS * stop) / STOPS)} | ${await memory()} |`);
  }
  await expect(last).toBeVisible();
  await grid.evaluate((element) => (element.scrollTop = 0));
  await expect(page.getByRole("rowheader", { name: "1", exact: true })).toBeVisible();
  report(`| browser back at row 1 | ${await memory()} |`);
  await context.close();
  await server.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** A worksheet of the sample project; its address. */
async function newWorksheet(browser: Browser, url: string, storageState: Awaited<ReturnType<typeof signIn>>) {
  const context = await browser.newContext({ storageState });
  const page = await context.newPage();
  await page.goto(`${url}/worksheets`);
  await page.locator("html[data-hydrated]").waitFor({ state: "attached" });
  await page.getByRole("button", { name: "New worksheet" }).first().click();
  await expect(page).toHaveURL(/\/worksheets\/[0-9a-f-]+$/);
  await expect(page.locator(".cm-content")).toBeVisible();
  const address = page.url();
  await context.close();
  return address;
}

/** Opens the address in a new tab and tells when things happened, in milliseconds since the navigation began. */
async function load(context: BrowserContext, address: string) {
  const page = await context.newPage();
  await page.addInitScript(() => {
    const seen: Record<string, number> = {};
    Object.assign(window, { seen });
    const look = () => {
      if (!("hydrated" in seen) && document.documentElement?.hasAttribute("data-hydrated")) seen.hydrated = performance.now();
      if (!("editor" in seen) && document.querySelector(".cm-content")) seen.editor = performance.now();
      if (!("hydrated" in seen) || !("editor" in seen)) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.goto(address);
  await page.waitForFunction(() => "editor" in (window as any).seen && "hydrated" in (window as any).seen);
  const timing = await page.evaluate(() => ({
    paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
    hydrated: (window as any).seen.hydrated as number,
    editor: (window as any).seen.editor as number,
    bytes: [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
      .map((entry) => (entry as PerformanceResourceTiming).transferSize)
      .reduce((a, b) => a + b, 0),
  }));
  await page.close();
  return timing;
}

/** The script heap after a collection, and the resident memory of the process that shows the page. */
async function meter(browser: Browser, page: Page) {
  const session = await page.context().newCDPSession(page);
  const whole = await browser.newBrowserCDPSession();
  await session.send("Performance.enable");
  return async () => {
    await session.send("HeapProfiler.collectGarbage");
    const { metrics } = await session.send("Performance.getMetrics");
    const value = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? NaN;
    const { processInfo } = await whole.send("SystemInfo.getProcessInfo");
    const resident = processInfo.filter((one) => one.type === "renderer").map((one) => residentBytes(one.id));
    const mb = (bytes: number) => (bytes / 1e6).toFixed(1);
    return `heap ${mb(value("JSHeapUsedSize"))} MB, ${value("Nodes")} DOM nodes, renderer ${mb(Math.max(...resident))} MB resident`;
  };
}

function residentBytes(process: number) {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${process}/status`, "utf8"));
  return line ? Number(line[1]) * 1024 : NaN;
}
