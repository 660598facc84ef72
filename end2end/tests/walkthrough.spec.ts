// The seed's steps 2–4, by mouse and by keyboard, on a local warehouse and on S3.
import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures";

/** The statements of step 4 and what the guide shows for them, with the id masked. */
const STEP_4: [string, string][] = [
  ["SET odps.namespace.schema=true;\nSHOW schemas;", "ID = …\ndefault\n\nOK\n"],
  [
    "SET odps.sql.allow.fullscan=true;\nSELECT * FROM PROJECT.default.test_tbl;",
    `ID = …
+------------+------------+------------+
| id         | data       | dt         |
+------------+------------+------------+
| 1          | CCC        | 2024-07-18 |
| 2          | DDD        | 2024-07-18 |
| 3          | EEE        | 2025-06-18 |
+------------+------------+------------+
OK
`,
  ],
  ["INSERT INTO test_tbl PARTITION(dt='2025-08-26') VALUES(4,'FFF');", "ID = …\nOK\n"],
  [
    "SELECT * FROM test_tbl;",
    `ID = …
+------------+------------+------------+
| id         | data       | dt         |
+------------+------------+------------+
| 1          | CCC        | 2024-07-18 |
| 2          | DDD        | 2024-07-18 |
| 3          | EEE        | 2025-06-18 |
| 4          | FFF        | 2025-08-26 |
+------------+------------+------------+
OK
`,
  ],
  [
    `-- Create a schema.
CREATE schema testschema;
-- Create a table in the new schema.
use schema testschema;
CREATE TABLE table_test(id INT, name STRING);
-- Insert data and verify.
INSERT INTO table_test VALUES (101,'Zhang San'),(102,'Li Si');
SELECT * FROM table_test;`,
    `ID = …
+------------+------------+
| id         | name       |
+------------+------------+
| 101        | Zhang San  |
| 102        | Li Si      |
+------------+------------+
OK
`,
  ],
];

/** Step 1's statements: the table that Flink makes in the guide. */
const STEP_1 = `CREATE TABLE \`paimon-fs-catalog\`.\`default\`.test_tbl (
    id BIGINT, data STRING, dt STRING, PRIMARY KEY (dt, id) NOT ENFORCED
) PARTITIONED BY (dt) WITH ( 'bucket' = '3' );
INSERT INTO \`paimon-fs-catalog\`.\`default\`.test_tbl VALUES (1,'CCC','2024-07-18'), (2,'DDD','2024-07-18'),(3,'EEE','2025-06-18');`;

/** Types a script into the worksheet in place of what is there, runs all of it, and gives the last Text view. */
async function run(page: Page, script: string): Promise<string> {
  await expect(page.locator(".cm-content")).toBeVisible();
  await page.getByRole("textbox", { name: "SQL", exact: true }).click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(script);
  await page.keyboard.press("Control+Shift+Enter");
  const tabs = page.getByRole("tablist", { name: "Results" }).getByRole("tab");
  const statements = script.split(";").filter((text) => text.replace(/--.*$/gm, "").trim()).length;
  // Several statements have a tab for the whole script before theirs.
  await expect(tabs).toHaveCount(statements > 1 ? statements + 1 : 1);
  const last = tabs.last();
  await expect(last).toHaveAccessibleName(/succeeded/i, { timeout: 30_000 });
  await last.click();
  await page.getByRole("radio", { name: "Text" }).check({ force: true });
  const text = await page.getByRole("region", { name: "Text output" }).innerText();
  return text.replace(/ID = \d{17}g[0-9a-z]{6}/g, "ID = …").replace(/\s*$/, "\n");
}

test("seed 000 on a local folder, by mouse", async ({ page, warehouse }) => {
  await page.getByRole("link", { name: "External Data Source", exact: true }).click();
  await page.getByRole("link", { name: "Create External Data Source" }).click();
  await expect(page.getByRole("radio", { name: /Filesystem Catalog/ })).toBeChecked();
  await page.getByRole("radio", { name: "Local folder" }).check({ force: true });
  await page.getByLabel("External Data Source Name").fill("external_fs");
  await page.getByLabel("Test directory").fill(warehouse);
  await page.getByRole("button", { name: "Test connection" }).click();
  await expect(page.getByText("Connected", { exact: true }).first()).toBeVisible({ timeout: 30_000 });
  await page.getByRole("button", { name: "OK", exact: true }).click();

  const row = page.getByRole("row", { name: /external_fs/ });
  await expect(row.getByText("New", { exact: true })).toBeVisible();
  await row.getByRole("link", { name: "Details" }).click();
  await expect(page.getByRole("heading", { name: "external_fs" })).toBeVisible();

  await page.getByRole("link", { name: "Projects", exact: true }).first().click();
  await expect(page.getByRole("tab", { name: "External Project" })).toBeVisible();
  await page.getByRole("link", { name: "Create Project" }).click();
  await page.getByLabel("Project Name (Globally Unique)").fill("paimon_fs");
  await page.getByLabel("MaxCompute Foreign Server Name").selectOption("external_fs");
  await page.getByLabel("Bucket Catalog").fill(warehouse);
  await page.getByLabel("Engine catalog name").fill("paimon-fs-catalog");
  await page.getByRole("button", { name: "Next: Review" }).click();
  await expect(page.getByText("A worksheet opens, bound to the project")).toBeVisible();
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await expect(page).toHaveURL(/\/worksheets\/./);

  await run(page, STEP_1);
  for (const [script, expected] of STEP_4) {
    expect(await run(page, script.replace("PROJECT", "paimon_fs"))).toBe(expected);
  }
});
