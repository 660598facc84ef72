// The seed's steps 2–4, by mouse and by keyboard, on a local warehouse and on S3.
import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures";
import { type Hands, keyboard, mouse } from "./hands";

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

const resultTabs = (page: Page) => page.getByRole("tablist", { name: "Results" }).getByRole("tab");

/** Puts a script into the worksheet in place of what is there, and runs all of it. */
async function run(page: Page, hands: Hands, script: string) {
  await expect(page.locator(".cm-content")).toBeVisible();
  await hands.focus(page.getByRole("textbox", { name: "SQL", exact: true }));
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(script);
  await page.keyboard.press("Control+Shift+Enter");
  const statements = script.split(";").filter((text) => text.replace(/--.*$/gm, "").trim()).length;
  // Several statements have a tab for the whole script before theirs.
  await expect(resultTabs(page)).toHaveCount(statements > 1 ? statements + 1 : 1);
  await expect(resultTabs(page).last()).toHaveAccessibleName(/succeeded/i, { timeout: 30_000 });
}

/** What the Text view of the last statement shows. */
async function expectText(page: Page, hands: Hands, expected: string) {
  await hands.tab(resultTabs(page).last());
  await hands.choose(page.getByRole("radio", { name: "Text" }));
  const text = page.getByRole("region", { name: "Text output" });
  const masked = async () => (await text.innerText()).replace(/ID = \d{17}g[0-9a-z]{6}/g, "ID = …").replace(/\s*$/, "\n");
  await expect.poll(masked).toBe(expected);
}

/** Steps 2 to 4 of the guide. `storage` fills what is special in the form of the source. */
async function walk(page: Page, hands: Hands, name: string, warehouse: string, storage: () => Promise<void>) {
  const project = name.replace("external", "paimon");
  await hands.press(page.getByRole("link", { name: "External Data Source", exact: true }));
  await hands.press(page.getByRole("link", { name: "Create External Data Source" }));
  await expect(page.getByRole("radio", { name: /Filesystem Catalog/ })).toBeChecked();
  await hands.fill(page.getByLabel("External Data Source Name"), name);
  await storage();
  await hands.press(page.getByRole("button", { name: "Test connection" }));
  await expect(page.getByText("Connected", { exact: true }).first()).toBeVisible({ timeout: 30_000 });
  await hands.press(page.getByRole("button", { name: "OK", exact: true }));

  const row = page.getByRole("row", { name: new RegExp(name) });
  await expect(row.getByText("New", { exact: true })).toBeVisible();
  await hands.press(row.getByRole("link", { name: "Details" }));
  await expect(page.getByRole("heading", { name })).toBeVisible();

  await hands.press(page.getByRole("link", { name: "Projects", exact: true }).first());
  await expect(page.getByRole("tab", { name: "External Project" })).toBeVisible();
  await hands.press(page.getByRole("link", { name: "Create Project" }));
  await hands.fill(page.getByLabel("Project Name (Globally Unique)"), project);
  await hands.fill(page.getByLabel("Engine catalog name"), "paimon-fs-catalog");
  await hands.select(page.getByLabel("MaxCompute Foreign Server Name"), name);
  await hands.fill(page.getByLabel("Bucket Catalog"), warehouse);
  await hands.press(page.getByRole("button", { name: "Next: Review" }));
  await expect(page.getByText("A worksheet opens, bound to the project")).toBeVisible();
  await hands.press(page.getByRole("button", { name: "OK", exact: true }));
  await expect(page).toHaveURL(/\/worksheets\/./, { timeout: 30_000 });

  await run(page, hands, STEP_1);
  // The guide looks into the bucket here.
  await hands.tab(page.getByRole("tab", { name: "Files" }));
  await hands.press(page.getByRole("treeitem", { name: "default.db" }));
  await expect(page.getByRole("tree", { name: "Files" }).getByRole("treeitem", { name: "test_tbl" })).toBeVisible();
  for (const [script, expected] of STEP_4) {
    await run(page, hands, script.replace("PROJECT", project));
    await expectText(page, hands, expected);
  }
  // The guide's name of the catalog is free for the next walk on this server.
  const headers = { origin: new URL(page.url()).origin };
  expect((await page.request.delete(`/api/v1/projects/${project}`, { headers })).status()).toBe(204);
}

async function local(page: Page, hands: Hands, warehouse: string) {
  await hands.choose(page.getByRole("radio", { name: "Local folder" }));
  await hands.fill(page.getByLabel("Test directory"), warehouse);
}

test("on a local folder, by mouse", async ({ page, warehouse }) => {
  await walk(page, mouse, "external_fs", warehouse, () => local(page, mouse, warehouse));
});

test("on a local folder, by keyboard alone", async ({ page, warehouse }) => {
  test.setTimeout(360_000); // Some two thousand keys.
  await walk(page, keyboard, "external_keys", warehouse, () => local(page, keyboard, warehouse));
});

test("on S3, by mouse, in a bucket that the folder icon makes", async ({ page, moto }) => {
  await walk(page, mouse, "external_s3", "s3://paimon-fs/paimon-test/", async () => {
    await mouse.choose(page.getByRole("radio", { name: "S3-compatible" }));
    await mouse.fill(page.getByLabel("Endpoint"), moto.endpoint);
    await mouse.fill(page.getByLabel("AccessKey ID"), "moto");
    await mouse.fill(page.getByLabel("AccessKey Secret"), "moto-secret");
    await page.getByRole("button", { name: "Browse" }).click();
    const dialog = page.getByRole("dialog", { name: "Choose a folder" });
    await dialog.getByLabel("Name of the new folder").fill("paimon-fs");
    await dialog.getByRole("button", { name: "New bucket" }).click();
    await expect(dialog.getByText("s3://paimon-fs/", { exact: true })).toBeVisible();
    await dialog.getByLabel("Name of the new folder").fill("paimon-test");
    await dialog.getByRole("button", { name: "New folder" }).click();
    await expect(dialog.getByText("s3://paimon-fs/paimon-test/", { exact: true })).toBeVisible();
    await dialog.getByRole("button", { name: "Choose this folder" }).last().click();
    await expect(page.getByLabel("Test directory")).toHaveValue("s3://paimon-fs/paimon-test/");
  });
});
