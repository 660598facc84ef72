// Beside the text of a worksheet: the files of its warehouse and what it ran.
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { expectAccessible } from "./accessible";
import { expect, open, test } from "./fixtures";
import { editor, grid, newWorksheet, results, runAll, type } from "./worksheet";

const explorer = (page: Page) => page.getByRole("complementary", { name: "Explorer" });
const choose = (page: Page, name: string) => explorer(page).getByRole("tab", { name }).click();
const runs = (page: Page) => explorer(page).getByRole("tabpanel", { name: "History" }).getByRole("listitem");

test("the files of a table stand under the warehouse", async ({ page }) => {
  await newWorksheet(page);
  await choose(page, "Files");
  const tree = page.getByRole("tree", { name: "Files" });
  const item = (name: string | RegExp) => tree.getByRole("treeitem", { name });
  await expect(item("default.db")).toBeVisible();
  await expect(explorer(page).getByText(/sample-lake\/$/)).toBeVisible();
  // By keyboard down to a file, which has a size.
  await item("default.db").focus();
  await page.keyboard.press("ArrowRight");
  await expect(item("test_tbl")).toBeVisible();
  await page.keyboard.press("ArrowDown");
  await expect(item("test_tbl")).toBeFocused();
  await page.keyboard.press("ArrowRight");
  await expect(item("snapshot")).toBeVisible();
  await item("schema").click();
  await expect(item(/^schema-0 [\d.]+ (B|KB)$/)).toHaveAttribute("aria-level", "4");
  // A table that was made since is there without a reload.
  const table = `made_${Date.now()}`;
  await runAll(page, `CREATE TABLE ${table} (id INT);`);
  await expect(item(table)).toBeVisible();
  // What is open stays open while another tab is looked at.
  await choose(page, "Catalog");
  await expect(page.getByRole("tree", { name: "Catalog" }).getByRole("treeitem", { name: /^test_tbl/ })).toBeVisible();
  await choose(page, "Files");
  await expect(item(/^schema-0/)).toBeVisible();
});

test("files outside of the warehouse are not listed", async ({ page }) => {
  const answer = await page.request.post("/fn/catalog/files", {
    form: { project: "sample", uri: "/tmp/" },
    headers: { origin: new URL(page.url()).origin },
  });
  expect(answer.status()).toBe(422);
  expect(await answer.text()).toContain("is not in the warehouse of project sample");
});

test("what was run is shown again, and its text comes back", async ({ page, server }) => {
  await newWorksheet(page);
  await choose(page, "History");
  await expect(explorer(page).getByText("Nothing was run yet")).toBeVisible();
  await runAll(page, "SET odps.sql.timezone=Asia/Shanghai;\nSELECT 'first' AS a;");
  await runAll(page, "SELECT nothing;", /^Failed/);
  await expect(runs(page)).toHaveCount(2);
  await expect(runs(page).first()).toContainText(/SELECT nothing.*Failed · \d\d:\d\d:\d\d · /);
  await expect(runs(page).last()).toContainText(/SET odps\.sql\.timezone=Asia\/Shanghai.*OK · .* · 2 statements/);

  // Its results, without a change of the session.
  await page.getByRole("button", { name: "Session", exact: true }).click();
  await page.getByRole("button", { name: "Reset session" }).click();
  await expect(page.getByText("Session reset")).toBeVisible();
  await runs(page).last().getByRole("button").first().click();
  await expect(runs(page).last().getByRole("button").first()).toHaveAttribute("aria-current", "true");
  await expect(results(page)).toHaveCount(3);
  await expect(grid(page).locator("tbody td[role=gridcell]")).toHaveText("first");
  await page.getByRole("button", { name: "Session", exact: true }).click();
  await expect(page.getByText("Nothing was set: every setting has its default.")).toBeVisible();
  await page.keyboard.press("Escape");

  // The text, in the place of what is selected.
  await editor(page).click();
  await page.keyboard.press("Control+A");
  await runs(page).last().getByRole("button", { name: "Put back into the text" }).click();
  await expect(editor(page)).toContainText("SET odps.sql.timezone=Asia/Shanghai;SELECT 'first' AS a;");

  // After a reload it is still there; rows that are no longer kept say so.
  const spool = join(server.dataDir, "spool");
  for (const run of await readdir(spool)) await rm(join(spool, run), { recursive: true });
  await page.reload();
  await choose(page, "History");
  await runs(page).last().getByRole("button").first().click();
  await expect(page.getByRole("alert").filter({ hasText: "The rows of this result are no longer kept." })).toBeVisible();
});

test("older runs are listed on demand", async ({ page }) => {
  await newWorksheet(page);
  const [origin, id] = [new URL(page.url()).origin, new URL(page.url()).pathname.split("/").pop()];
  for (let run = 0; run < 51; run++) {
    // One at a time: the worksheet is busy until the one before has ended.
    const start = () => page.request.post("/fn/worksheet/run", { data: { id, script: `SET odps.sql.timezone=Etc/GMT-${run % 10};`, base_offset: 0 }, headers: { origin } });
    await expect.poll(async () => (await start()).status(), { intervals: [20] }).toBe(200);
  }
  await choose(page, "History");
  await expect(runs(page)).toHaveCount(50);
  await explorer(page).getByRole("button", { name: "Show older" }).click();
  await expect(runs(page)).toHaveCount(51);
  await expect(runs(page).last()).toContainText("Etc/GMT-0");
  await expect(explorer(page).getByRole("button", { name: "Show older" })).toHaveCount(0);
});

test("a failing list says why and can be asked again", async ({ page }) => {
  await newWorksheet(page);
  for (const [tab, address] of [["Files", "catalog/files"], ["History", "worksheet/runs"]]) {
    await page.route(`**/fn/${address}*`, (route) => route.fulfill({ status: 429, contentType: "application/json", body: JSON.stringify({ code: "limit_exceeded", message: "Too busy." }) }));
    await choose(page, tab);
    const panel = explorer(page).getByRole("tabpanel", { name: tab });
    await expect(panel.getByText("Too busy.")).toBeVisible();
    await page.unroute(`**/fn/${address}*`);
    if (tab === "History") await panel.getByRole("button", { name: "Try again" }).click();
    else await panel.getByRole("treeitem").click();
    await expect(panel.getByText("Too busy.")).toHaveCount(0);
  }
});

test("F6 reaches what the explorer shows", async ({ page }) => {
  await newWorksheet(page);
  await runAll(page, "SELECT 1 AS a;");
  const reached = async (tab: string, role: "treeitem" | "button") => {
    await choose(page, tab);
    const first = explorer(page).getByRole("tabpanel", { name: tab }).getByRole(role).filter({ hasText: /./ }).first();
    await expect(first).toBeVisible();
    await editor(page).focus();
    await page.keyboard.press("Shift+F6");
    await expect(first).toBeFocused();
    await page.keyboard.press("F6");
    await expect(editor(page)).toBeFocused();
  };
  await reached("Catalog", "treeitem");
  await reached("Files", "treeitem");
  await reached("History", "button");
});

test("running closes the completions", async ({ page }) => {
  await newWorksheet(page);
  await editor(page).click();
  await page.keyboard.type("SELECT * FROM test_");
  const list = page.getByRole("listbox", { name: "Completions" });
  await expect(list.getByRole("option", { name: /test_tbl/ })).toBeVisible();
  await page.keyboard.press("Control+Shift+Enter");
  await expect(results(page).last()).toHaveAccessibleName(/^Failed/, { timeout: 30_000 });
  await expect(list).toBeHidden();
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("files and history have no violations, in both languages", async ({ page, context, baseURL }) => {
      await newWorksheet(page);
      await choose(page, "History");
      await expectAccessible(page);
      await runAll(page, "SELECT 1 AS a;");
      await runAll(page, "SELECT nothing;", /^Failed/);
      await runs(page).last().getByRole("button").first().click();
      await expect(grid(page)).toBeVisible();
      await expectAccessible(page);
      await choose(page, "Files");
      await page.getByRole("treeitem", { name: "default.db" }).click();
      await expect(page.getByRole("treeitem", { name: "test_tbl" })).toBeVisible();
      await expectAccessible(page);

      await context.addCookies([{ name: "language", value: "zh-CN", url: baseURL }]);
      await open(page, new URL(page.url()).pathname);
      for (const name of ["文件", "历史", "目录"]) {
        await page.getByRole("tab", { name, exact: true }).click();
        await expect(page.getByRole("tabpanel", { name, exact: true })).toBeVisible();
      }
    });
  });
}
