// The worksheet and the help pages for everyone: axe in both themes, both languages.
import type { Page } from "@playwright/test";
import { expectAccessible } from "./accessible";
import { expect, open, test } from "./fixtures";

const HELP: [string, string, string][] = [
  ["/help/support-matrix", "Supported operations", "支持的操作"],
  ["/help/types", "Data type mapping", "数据类型映射"],
  ["/help/troubleshooting", "Troubleshooting", "故障排查"],
  ["/help/keyboard", "Keyboard", "键盘"],
];

/** Opens a new worksheet of the project that the first start made. */
async function sampleWorksheet(page: Page) {
  await open(page, "/projects");
  const row = page.getByRole("row").filter({ has: page.getByRole("link", { name: "sample", exact: true }) });
  await row.getByRole("button", { name: "Open worksheet" }).click();
  await expect(page.locator(".cm-content")).toBeVisible();
}

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("worksheets have no violations", async ({ page }) => {
      await open(page, "/worksheets");
      await expectAccessible(page);
      await sampleWorksheet(page);
      await page.getByRole("textbox", { name: "SQL", exact: true }).click();
      await page.keyboard.insertText("SELECT * FROM test_tbl WHERE dt = '2024-07-18';\nSELECT nothing FROM test_tbl WHERE dt = '1';");
      await page.keyboard.press("Control+Shift+Enter");
      const tabs = page.getByRole("tablist", { name: "Results" }).getByRole("tab");
      await expect(tabs.last()).toHaveAccessibleName(/^Failed/, { timeout: 30_000 });
      await expectAccessible(page);
      await tabs.nth(1).click();
      const grid = page.getByRole("grid");
      await expect(grid).toBeVisible();
      await expectAccessible(page);
      await grid.focus();
      await page.keyboard.press("Enter");
      await expect(page.getByRole("dialog")).toBeVisible();
      await expectAccessible(page);
      await page.keyboard.press("Escape");
      await open(page, "/worksheets");
      await page.getByRole("button", { name: /^Delete / }).first().click();
      await expect(page.getByRole("dialog")).toBeVisible();
      await expectAccessible(page);
    });

    test("the help pages have no violations", async ({ page }) => {
      for (const [path, title] of HELP) {
        await open(page, path);
        await expect(page.getByRole("heading", { level: 1, name: title })).toBeVisible();
        await expectAccessible(page);
      }
    });
  });
}

test("the card of a table asks what one would type", async ({ page }) => {
  await sampleWorksheet(page);
  await expect(page.getByRole("navigation", { name: "Breadcrumb" })).toContainText(/Worksheets.*Worksheet \d/);
  await expect(page.getByRole("heading", { level: 1, name: /Worksheet \d/ })).toBeAttached();
  await page.getByRole("treeitem", { name: /test_tbl/ }).focus();
  const card = page.getByRole("region", { name: "test_tbl" });
  await expect(card).toContainText("Primary key");
  await expect(card).toContainText("≤ 3 rows");
  await expect(card).toContainText(/snapshot \d/);
  const results = page.getByRole("region", { name: "Results" });
  const asked = async (button: string, verb: string, answer: string) => {
    await card.getByRole("button", { name: button, exact: true }).click();
    await expect(results.getByRole("tab", { name: new RegExp(verb) })).toBeVisible();
    await expect(results.getByRole("tabpanel")).toContainText(answer, { timeout: 30_000 });
  };
  await asked("DDL", "SHOW", "PARTITIONED BY (dt STRING)");
  await asked("Partitions", "SHOW", "dt=2025-06-18");
  await asked("Columns", "DESC", "Partition?");
  await asked("First rows", "SELECT", "EEE");
  await expectAccessible(page);
});

test("without the room for both, the names lie over the text", async ({ page }) => {
  await page.setViewportSize({ width: 900, height: 800 });
  await open(page, "/worksheets");
  await page.getByRole("button", { name: "New worksheet" }).first().click();
  await expect(page.locator(".cm-content")).toBeVisible();
  const explorer = page.getByRole("complementary", { name: "Explorer" });
  await expect(explorer).toBeHidden();
  await expect(page.getByRole("button", { name: /^Run/ }).first()).toBeInViewport();
  await page.getByRole("button", { name: "Show explorer" }).click();
  await expect(explorer).toBeVisible();
  await expectAccessible(page);
});

test("the help pages speak Chinese", async ({ page, context, baseURL }) => {
  await context.addCookies([{ name: "language", value: "zh-CN", url: baseURL }]);
  for (const [path, , title] of HELP) {
    await open(page, path);
    await expect(page.getByRole("heading", { level: 1, name: title })).toBeVisible();
  }
});

test("types are found by any of their names", async ({ page }) => {
  await open(page, "/help/types");
  await page.getByRole("searchbox", { name: "Search types" }).fill("int64");
  await expect(page.getByRole("row")).toHaveCount(2);
  await expect(page.getByRole("row").last()).toContainText("BIGINT");
});
