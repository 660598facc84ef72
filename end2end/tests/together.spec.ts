// A server that dies in the middle, and two browsers at once.
import { rm } from "node:fs/promises";
import { type Browser, expect, type Page } from "@playwright/test";
import { hydrated, open, signIn, startServer, test } from "./fixtures";
import { editor, ENDLESS, expectRows, newWorksheet, results, runAll, type } from "./worksheet";

test("the server dies in the middle of a run: nothing typed is lost, and the statement says what became of it", async ({ browser }) => {
  let server = await startServer();
  try {
    const context = await browser.newContext({ baseURL: server.url, storageState: await signIn(server.url) });
    const page = await context.newPage();
    await newWorksheet(page, `SELECT 1 AS done;\n${ENDLESS}\nSELECT 3 AS never;`);
    await page.keyboard.press("Control+Shift+Enter");
    await expect(results(page).nth(2)).toHaveAccessibleName(/^Running/);
    await server.stop("SIGKILL");

    await expect(page.getByRole("contentinfo", { name: "Status" }).getByText("Not connected")).toBeVisible({ timeout: 30_000 });
    await editor(page).click();
    await page.keyboard.press("Control+End");
    await page.keyboard.insertText("\n-- typed while the server was away");
    server = await startServer({ dataDir: server.dataDir, listen: new URL(server.url).host });

    await expect(results(page).nth(1)).toHaveAccessibleName(/^Succeeded SELECT 1 row/, { timeout: 30_000 });
    await expect(results(page).nth(2)).toHaveAccessibleName(/^Failed/, { timeout: 30_000 });
    await expect(results(page).nth(3)).toHaveAccessibleName(/^Not run/);
    await results(page).nth(2).click();
    await expect(page.getByText("The server stopped while this statement ran; nothing was written.").first()).toBeVisible();
    await expect(page.getByText(/^Saved/).first()).toBeVisible({ timeout: 30_000 });

    await page.reload();
    await hydrated(page);
    await expect(editor(page)).toContainText("-- typed while the server was away");
    await expect(results(page).nth(2)).toHaveAccessibleName(/^Failed/);
    await runAll(page, "SELECT 4 AS again;");
    await expectRows(page, [["4"]]);
  } finally {
    await server.stop();
    await rm(server.dataDir, { recursive: true, force: true });
  }
});

/** A browser of its own, signed in. */
async function another(browser: Browser, baseURL: string): Promise<Page> {
  const context = await browser.newContext({ baseURL, storageState: await signIn(baseURL) });
  return context.newPage();
}

test("two browsers at once: one name is taken once, and both write into one table", async ({ browser, server, warehouse }) => {
  const pages = await Promise.all([another(browser, server.url), another(browser, server.url)]);
  const filled = await Promise.all(
    pages.map(async (page) => {
      await open(page, "/data-sources/new?storage=local");
      await page.getByLabel("External Data Source Name").fill("both");
      await page.getByLabel("Test directory").fill(warehouse);
      await page.getByRole("button", { name: "Test connection" }).click();
      await expect(page.getByText("Connected", { exact: true }).first()).toBeVisible({ timeout: 30_000 });
      return page;
    }),
  );
  await Promise.all(filled.map((page) => page.getByRole("button", { name: "OK", exact: true }).click()));
  const isStored = (page: Page) => page.getByRole("row", { name: /both/ }).isVisible();
  const isTaken = (page: Page) => page.getByLabel("External Data Source Name").and(page.locator("[aria-invalid=true]")).isVisible();
  const count = async (is: (page: Page) => Promise<boolean>) => (await Promise.all(pages.map(is))).filter(Boolean).length;
  await expect.poll(async () => [await count(isStored), await count(isTaken)]).toEqual([1, 1]);

  const [one, other] = pages;
  await newWorksheet(one);
  await newWorksheet(other);
  await runAll(one, "CREATE TABLE shared(id INT, who STRING);");
  const rows = (who: string) => Array.from({ length: 8 }, (_, n) => `INSERT INTO shared VALUES (${n}, '${who}');`).join("\n");
  await Promise.all([runAll(one, rows("one")), runAll(other, rows("other"))]);
  for (const page of pages) {
    await runAll(page, "SELECT who, count(*) AS n, sum(id) AS s FROM shared GROUP BY who ORDER BY who;");
    await expectRows(page, [["one", "8", "28"], ["other", "8", "28"]]);
  }
  await runAll(one, "DROP TABLE shared;");
  await Promise.all(pages.map((page) => page.context().close()));
});
