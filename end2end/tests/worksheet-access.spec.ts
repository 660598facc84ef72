// The worksheet and the help pages for everyone: axe in both themes, both languages.
import { expectAccessible } from "./accessible";
import { expect, open, test } from "./fixtures";

const HELP: [string, string, string][] = [
  ["/help/support-matrix", "Supported operations", "支持的操作"],
  ["/help/types", "Data type mapping", "数据类型映射"],
  ["/help/troubleshooting", "Troubleshooting", "故障排查"],
  ["/help/keyboard", "Keyboard", "键盘"],
];

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("worksheets have no violations", async ({ page }) => {
      await open(page, "/worksheets");
      await expectAccessible(page);
      await page.getByRole("button", { name: "New worksheet" }).first().click();
      await expect(page.locator(".cm-content")).toBeVisible();
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
