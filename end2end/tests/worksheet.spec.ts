// Worksheets: typing, saving, running, results, and what happens when things go wrong.
import { expect, open, test } from "./fixtures";
import { DIGITS, editor, ENDLESS, expectRows, grid, newWorksheet, results, runAll, type } from "./worksheet";

test("rows are exact, and NULL is not the empty text", async ({ page }) => {
  await newWorksheet(page);
  await runAll(page, "SELECT 9007199254740993 AS big, CAST('0.10' AS DECIMAL(38,18)) AS d, NULL AS nothing, '' AS blank, 'a\\tb' AS tab;");
  await expect(grid(page)).toBeVisible();
  await expectRows(page, [["9007199254740993", "0.100000000000000000", "NULL", "", "a␣b"]]);
  await expect(grid(page).locator("tbody td").nth(2)).toHaveClass(/null/);
  await expect(grid(page).locator("tbody td").nth(0)).toHaveClass(/num/);

  // The keyboard: the cell viewer, and copying.
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await grid(page).focus();
  await page.keyboard.press("End");
  await page.keyboard.press("Space");
  const viewer = page.getByRole("dialog", { name: "Row 1, tab" });
  await expect(viewer.locator("pre")).toHaveText("a\tb", { useInnerText: false });
  await page.keyboard.press("Escape");
  await expect(viewer).toBeHidden();
  await expect(grid(page)).toBeFocused();
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Control+C");
  await expect
    .poll(() => page.evaluate(() => navigator.clipboard.readText()))
    .toBe('9007199254740993\t0.100000000000000000\t\t\t"a\tb"');
});

test("the text form is that of the command line", async ({ page }) => {
  await newWorksheet(page);
  await runAll(page, "SHOW schemas;");
  await page.getByRole("radio", { name: "Text" }).check({ force: true });
  const text = await page.getByRole("region", { name: "Text output" }).locator("pre").textContent();
  expect(text?.replace(/\d{17}g[0-9a-z]{6}/, "…")).toBe("ID = …\ndefault\n\nOK\n");
});

test("Ctrl+Enter runs the statement at the cursor", async ({ page }) => {
  await newWorksheet(page, "SELECT 1 AS a;\nSELECT 2 AS b;\nSELECT 3 AS c;");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Control+Enter");
  await expect(results(page)).toHaveCount(1);
  await expect(results(page).first()).toHaveAccessibleName(/^Succeeded/);
  await expect(grid(page).locator("thead")).toContainText("b");
  await expect(page.locator(".cm-statement-succeeded")).toHaveCount(1);
});

test("nothing typed is lost: reload, a failing server, leaving the page", async ({ page }) => {
  await newWorksheet(page, "SELECT 'first';");
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  await page.reload();
  await expect(editor(page)).toContainText("SELECT 'first';");

  // The server does not answer: the text waits in the browser, and is saved after a reload.
  await page.route("**/fn/worksheet/save_text*", (route) => route.fulfill({ status: 429, contentType: "application/json", body: JSON.stringify({ code: "limit_exceeded", message: "Too busy." }) }));
  await expect(page.locator(".cm-content")).toBeVisible();
  await type(page, "SELECT 'second';");
  await expect(page.getByText("Not saved on the server")).toBeVisible();
  await page.unroute("**/fn/worksheet/save_text*");
  await page.reload();
  await expect(page.locator(".cm-content")).toContainText("SELECT 'second';");
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();

  // Leaving within the delay of saving.
  await type(page, "SELECT 'third';");
  const address = page.url();
  await page.getByRole("link", { name: "Worksheets", exact: true }).first().click();
  await expect(page).toHaveURL(/\/worksheets$/);
  await page.goto(address);
  await expect(page.locator(".cm-content")).toContainText("SELECT 'third';");
});

test("two windows on one worksheet: nothing is overwritten silently", async ({ page, context }) => {
  await newWorksheet(page, "SELECT 'mine';");
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  const other = await context.newPage();
  await open(other, new URL(page.url()).pathname);
  await expect(other.locator(".cm-content")).toContainText("mine");
  await type(other, "SELECT 'theirs';");
  await expect(other.getByText("Saved", { exact: true })).toBeVisible();

  await page.bringToFront();
  await page.evaluate(() => window.dispatchEvent(new Event("blur")));
  await type(page, "SELECT 'mine again';");
  await expect(page.getByText(/Changed elsewhere at/)).toBeVisible();
  await expect(page.locator(".cm-content")).toContainText("mine again");
  await page.getByRole("button", { name: "Keep both" }).click();
  await expect(page).not.toHaveURL(other.url());
  await expect(page.locator(".cm-content")).toContainText("mine again");
  await other.reload();
  await expect(other.locator(".cm-content")).toContainText("theirs");
});

test("the full-scan error offers its cure", async ({ page }) => {
  await newWorksheet(page);
  await runAll(page, "SELECT * FROM test_tbl;", /^Failed/);
  await expect(page.getByText("This statement would read every partition")).toBeVisible();
  await expect(page.getByText(/is full scan with all partitions, please specify partition predicates\./).first()).toBeVisible();
  await page.getByRole("button", { name: "Insert SET and run again" }).click();
  await expect(results(page).last()).toHaveAccessibleName(/^Succeeded SELECT 3 rows/, { timeout: 30_000 });
  await expect(editor(page)).toContainText("SET odps.sql.allow.fullscan=true;");
  await expectRows(page, [["1", "CCC", "2024-07-18"], ["2", "DDD", "2024-07-18"], ["3", "EEE", "2025-06-18"]]);
});

test("a wrong name is underlined, and the suggestion repairs it", async ({ page }) => {
  await newWorksheet(page);
  await runAll(page, "-- 😀 before\nSELECT * FROM test_tbk WHERE dt = '2024-07-18';", /^Failed/);
  await expect(page.locator(".cm-lintRange-error")).toHaveText("test_tbk");
  await page.getByRole("button", { name: "Replace with test_tbl" }).click();
  await expect(editor(page)).toContainText("FROM test_tbl WHERE");
  await page.keyboard.press("Control+Enter");
  await expect(results(page).last()).toHaveAccessibleName(/^Succeeded SELECT 2 rows/, { timeout: 30_000 });
});

test("names are completed", async ({ page }) => {
  await newWorksheet(page);
  await editor(page).click();
  await page.keyboard.type("SELECT * FROM test_");
  const list = page.getByRole("listbox", { name: "Completions" });
  await expect(list.getByRole("option", { name: /test_tbl/ })).toBeVisible();
  await page.waitForTimeout(100); // CodeMirror ignores a choice within 75 ms.
  await page.keyboard.press("Tab");
  await expect(editor(page)).toContainText("SELECT * FROM test_tbl");
  await page.keyboard.type(" WHERE da");
  await expect(list.getByRole("option", { name: /^data/ })).toBeVisible();
});

test("the tree opens with the keyboard and puts names into the text", async ({ page }) => {
  await newWorksheet(page);
  const tree = page.getByRole("tree", { name: "Catalog" });
  const table = tree.getByRole("treeitem", { name: /^test_tbl/ });
  await expect(table).toBeVisible();
  await tree.getByRole("treeitem", { name: "sample", exact: true }).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect(table).toBeFocused();
  await page.keyboard.press("ArrowRight");
  await expect(tree.getByRole("treeitem", { name: /^dt/ })).toContainText("part");
  await page.keyboard.press("Enter");
  await expect(editor(page)).toContainText("test_tbl");
  await expect(editor(page)).toBeFocused();
});

test("Escape, then Tab leaves the editor", async ({ page }) => {
  await newWorksheet(page, "SELECT 1;");
  // The first Escape closes the completions, the second one sets the Tab key free.
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  await expect(editor(page)).not.toBeFocused();
});

test("rename, filter, delete", async ({ page }) => {
  await newWorksheet(page);
  const name = `Orders ${Date.now()}`;
  await page.getByRole("textbox", { name: "Worksheet name" }).fill(name);
  await page.keyboard.press("Enter");
  await expect(page).toHaveTitle(`${name} · Lakedeck`);
  await open(page, "/worksheets");
  await page.getByRole("searchbox", { name: "Filter by name or project" }).fill(name);
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.getByRole("button", { name: `Delete ${name}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete worksheet" }).click();
  await expect(page.getByRole("link", { name })).toHaveCount(0);
});

test("a session holds its settings and forgets them on demand", async ({ page }) => {
  await newWorksheet(page);
  await runAll(page, "SET odps.sql.timezone=Asia/Shanghai;");
  await page.getByRole("button", { name: "Session", exact: true }).click();
  await expect(page.getByText("odps.sql.timezone=", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Reset session" }).click();
  await expect(page.getByText("Session reset")).toBeVisible();
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });

  test("the text is there, can be changed and saved", async ({ page }) => {
    await page.goto("/worksheets");
    await page.getByRole("button", { name: "New worksheet" }).first().click();
    await expect(page).toHaveURL(/\/worksheets\/[0-9a-f-]+$/);
    await editor(page).fill("SELECT 1;\n-- saved by a form");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(editor(page)).toHaveValue("SELECT 1;\n-- saved by a form");
  });
});

const MILLION = `WITH ${DIGITS} SELECT a.n*100000+b.n*10000+c.n*1000+e.n*100+f.n*10+g.n AS id, concat('row ', a.n) AS name FROM d a CROSS JOIN d b CROSS JOIN d c CROSS JOIN d e CROSS JOIN d f CROSS JOIN d g ORDER BY id;`;

test("a million rows scroll end to end in constant memory", async ({ page, context }) => {
  await newWorksheet(page);
  await type(page, MILLION);
  await page.keyboard.press("Control+Enter");
  await expect(results(page).last()).toHaveAccessibleName(/1,000,000 rows/, { timeout: 60_000 });
  await expect(grid(page)).toHaveAttribute("aria-rowcount", "1000001");
  const session = await context.newCDPSession(page);
  const heap = async () => {
    await session.send("HeapProfiler.collectGarbage");
    const { nodes } = await session.send("Memory.getDOMCounters");
    return { bytes: await page.evaluate(() => (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize), nodes };
  };
  await grid(page).focus();
  await page.keyboard.press("Control+End");
  await expect(grid(page).locator("tr[aria-rowindex='1000001'] td").first()).toHaveText("999999");
  await page.keyboard.press("Control+Home");
  await expect(grid(page).locator("tr[aria-rowindex='2'] td").first()).toHaveText("0");
  const before = await heap();
  const viewport = page.locator(".dgrid-viewport");
  for (let step = 0; step <= 40; step++) {
    await viewport.evaluate((element, share) => (element.scrollTop = (element.scrollHeight - element.clientHeight) * share), step / 40);
    await page.waitForTimeout(80);
  }
  await expect(grid(page).locator("tr[aria-rowindex='1000001'] td").first()).toHaveText("999999");
  const after = await heap();
  await viewport.evaluate((element) => (element.scrollTop = 0));
  await expect(grid(page).locator("tr[aria-rowindex='2'] td").first()).toHaveText("0");
  expect(after.bytes).toBeLessThan(before.bytes + 8_000_000);
  expect(after.nodes).toBeLessThan(before.nodes * 2);
});

test("a running statement survives a reload, and Esc Esc stops it", async ({ page }) => {
  await newWorksheet(page, `SELECT 1 AS done;\n${ENDLESS}\nSELECT 3 AS never;`);
  await page.keyboard.press("Control+Shift+Enter");
  await expect(results(page).nth(2)).toHaveAccessibleName(/^Running/);
  await page.reload();
  await expect(results(page).nth(1)).toHaveAccessibleName(/^Succeeded SELECT 1 row/);
  await expect(results(page).nth(2)).toHaveAccessibleName(/^Running SELECT/);
  await expect(page.getByText(/Running for/)).toBeVisible();
  await expect(page.locator(".cm-statement-running")).toBeVisible();
  // The query takes both cores: two presses may reach the page too far apart to be one gesture.
  await expect(async () => {
    await editor(page).click();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await expect(results(page).nth(2)).toHaveAccessibleName(/^Cancelled/, { timeout: 5_000 });
  }).toPass({ timeout: 40_000 });
  await expect(results(page).nth(3)).toHaveAccessibleName(/^Not run/);
});

test("the plain table pages, and a result is exported whole", async ({ page }) => {
  await newWorksheet(page);
  await runAll(page, `WITH ${DIGITS} SELECT a.n*100+b.n*10+c.n AS id FROM d a CROSS JOIN d b CROSS JOIN d c ORDER BY id;`);
  await page.getByRole("radio", { name: "Plain table" }).check({ force: true });
  await expect(page.getByText("Rows 1–100 of 1,000")).toBeVisible();
  await page.getByRole("button", { name: "Last page" }).click();
  await expect(page.getByText("Rows 901–1,000 of 1,000")).toBeVisible();
  await expect(page.getByRole("table").locator("tbody tr").last()).toContainText("999");

  await page.getByRole("button", { name: "Export" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "CSV" }).click();
  const stream = await (await download).createReadStream();
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  const lines = Buffer.concat(chunks).toString().trim().split(/\r?\n/);
  expect([lines.length, lines[0], lines.at(-1)]).toEqual([1001, "id", "999"]);
});
