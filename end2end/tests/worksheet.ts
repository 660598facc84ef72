/** What tests do with a worksheet. */
import type { Page } from "@playwright/test";
import { expect, open } from "./fixtures";

export const editor = (page: Page) => page.getByRole("textbox", { name: "SQL", exact: true });
export const results = (page: Page) => page.getByRole("tablist", { name: "Results" }).getByRole("tab");
export const grid = (page: Page) => page.getByRole("grid");

/** A new worksheet of the sample project, with the editor loaded. */
export async function newWorksheet(page: Page, text = "") {
  // Elsewhere a new one belongs to the project used last, which another test may have made.
  await open(page, "/projects");
  const sample = page.getByRole("row").filter({ has: page.getByRole("link", { name: "sample", exact: true }) });
  await sample.getByRole("button", { name: "Open worksheet" }).click();
  await expect(page).toHaveURL(/\/worksheets\/[0-9a-f-]+$/);
  await expect(page.locator(".cm-content")).toBeVisible();
  if (text) await type(page, text);
}

/** Puts a text in the place of what is there. */
export async function type(page: Page, text: string) {
  await editor(page).click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(text);
}

/** Runs everything and waits until the last statement has ended. */
export async function runAll(page: Page, text: string, state = /^Succeeded/) {
  await type(page, text);
  await page.keyboard.press("Control+Shift+Enter");
  await expect(results(page).last()).toHaveAccessibleName(state, { timeout: 30_000 });
}

/** The rows of the grid, cell by cell, once they are what is expected. */
export const expectRows = (page: Page, expected: string[][]) =>
  expect
    .poll(() =>
      grid(page).locator("tbody tr").evaluateAll((rows) => rows.map((row) => [...row.querySelectorAll("td[role=gridcell]")].map((cell) => cell.textContent))),
    )
    .toEqual(expected);

/** Ten digits, and through them as many rows as one wants. */
export const DIGITS = "d AS (SELECT n FROM VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9) AS t(n))";
/** A query that does not end while a test runs. */
export const ENDLESS = `WITH ${DIGITS}, e AS (SELECT a.n*1000+b.n*100+c.n*10+f.n AS n FROM d a CROSS JOIN d b CROSS JOIN d c CROSS JOIN d f) SELECT sum(x.n*y.n % 7 + z.n) AS s FROM e x CROSS JOIN e y CROSS JOIN e z;`;
