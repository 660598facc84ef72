// Every rule of the two forms, as one types and again on the server; secrets; deletion; the storage browser.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { expectAccessible } from "./accessible";
import { expect, open, test } from "./fixtures";

const NAME = "Start with a lowercase letter; use lowercase letters, digits and underscores; at most 128 characters.";
const PROJECT = "Start with a letter; letters, digits, underscores; 3–28 characters.";
const ARN = "Paste the ARN from the role's basic information, e.g. acs:ram::1234:role/aliyunodpsdefaultrole.";
const MASKED = "This is a masked ARN. Paste the full one from the role's basic information.";
const OSS = "Give bucket and directory, e.g. oss://paimon-fs/paimon-test/.";
const ENDPOINT = "Give host or host:port, with http:// or https:// if you like, without a path.";

/** Types a value and expects the sentence under the field, or none. */
async function rule(page: Page, label: string, value: string, sentence: string | null) {
  const field = page.getByLabel(label, { exact: true });
  await field.fill(value);
  if (sentence === null) {
    await expect(field, `${label} = ${value}`).not.toHaveAttribute("aria-invalid", "true");
  } else {
    await expect(field, `${label} = ${value}`).toHaveAttribute("aria-invalid", "true");
    await expect(field).toHaveAccessibleDescription(sentence);
  }
}

/** Creates a local source by the form and comes back to the list. */
async function localSource(page: Page, name: string) {
  await open(page, "/data-sources/new");
  await page.getByRole("radio", { name: "Local folder" }).check({ force: true });
  await page.getByLabel("External Data Source Name").fill(name);
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await page.getByRole("button", { name: "Save anyway" }).click();
  await expect(page.getByRole("row", { name: new RegExp(name) })).toBeVisible();
}

test("the rules of a data source", async ({ page }) => {
  await open(page, "/data-sources/new");
  for (const bad of ["External", "1fs", "_a", "a-b", "a".repeat(129)]) await rule(page, "External Data Source Name", bad, NAME);
  await rule(page, "External Data Source Name", "", "This field is required.");
  await page.getByLabel("External Data Source Name").fill("External-fs");
  await page.getByRole("button", { name: "Use external_fs" }).click();
  await expect(page.getByLabel("External Data Source Name")).toHaveValue("external_fs");
  for (const good of ["external_fs", "paimon_dlf", "a".repeat(128)]) await rule(page, "External Data Source Name", good, null);

  await rule(page, "RoleARN", "acs:ram::124****:role/x", MASKED);
  await rule(page, "RoleARN", "acs:ram::124:user/x", ARN);
  await rule(page, "RoleARN", "acs:ram::124:role/aliyunodpsdefaultrole", null);

  await page.getByLabel("Region", { exact: true }).selectOption("cn-hangzhou");
  await expect(page.getByLabel("Endpoint")).toHaveValue("oss-cn-hangzhou-internal.aliyuncs.com");
  await page.getByRole("radio", { name: "Public" }).check({ force: true });
  await expect(page.getByLabel("Endpoint")).toHaveValue("oss-cn-hangzhou.aliyuncs.com");
  await rule(page, "Endpoint", "http://user@host", ENDPOINT);
  await rule(page, "Endpoint", "http://host/path", ENDPOINT);
  await page.getByRole("button", { name: "Reset" }).click();
  await expect(page.getByLabel("Endpoint")).toHaveValue("oss-cn-hangzhou-internal.aliyuncs.com");

  const properties = "Foreign Server Supplemental Properties";
  await rule(page, properties, "fs.oss.accessKeySecret=x", "Line 1: fs.oss.accessKeySecret: Use the authentication section.");
  await rule(page, properties, "no equals sign", "Line 1: write key=value.");
  await rule(page, properties, "a=1\na=2", "Line 2: a is given twice.");
  await rule(page, properties, "server-side-encryption=AES256", null);
  await rule(page, "Test directory", "oss://A/b", OSS);
  await rule(page, "Test directory", "oss://paimon-fs/paimon-test/", null);

  await rule(page, "Description", "x".repeat(1025), "At most 1,024 characters.");
  await expect(page.getByRole("radio", { name: "OSS-HDFS" })).toBeDisabled();
  await expect(page.getByText("OSS-HDFS needs a native library")).toBeVisible();
});

test("OK marks every field that is missing and moves the focus there", async ({ page }) => {
  await open(page, "/data-sources/new");
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await expect(page.getByText("3 fields need attention")).toBeVisible();
  await expect(page.getByLabel("External Data Source Name")).toBeFocused();
});

test("the rules of a project", async ({ page }) => {
  await open(page, "/projects/new");
  const name = "Project Name (Globally Unique)";
  for (const bad of ["ab", "a-b", "1abc", "p".repeat(29)]) await rule(page, name, bad, PROJECT);
  await rule(page, name, "abc", null);
  await page.getByLabel(name).fill("SAMPLE");
  await page.getByLabel(name).blur();
  await expect(page.getByLabel(name)).toHaveAccessibleDescription("This name is taken.");
  await page.getByRole("radio", { name: /Create Foreign Server/ }).check();
  for (const bad of ["oss://A/b", "oss://ab", "http://b/p", "oss://b-/x"]) await rule(page, "Bucket Catalog", bad, OSS);
  for (const good of ["oss://paimon-fs/paimon-test/", "oss://bucket/path/warehouse"]) await rule(page, "Bucket Catalog", good, null);
});

test("a taken name comes back under its field", async ({ page }) => {
  await localSource(page, "taken_once");
  await open(page, "/data-sources/new");
  await page.getByRole("radio", { name: "Local folder" }).check({ force: true });
  await page.getByLabel("External Data Source Name").fill("taken_once");
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await page.getByRole("button", { name: "Save anyway" }).click();
  await expect(page.getByLabel("External Data Source Name")).toHaveAttribute("aria-invalid", "true");
});

test("a secret never comes back, and an edit keeps it", async ({ page }) => {
  const secret = "never-shown-anywhere-1";
  await open(page, "/data-sources/new");
  await page.getByRole("radio", { name: "S3-compatible" }).check({ force: true });
  await page.getByLabel("External Data Source Name").fill("with_secret");
  await page.getByLabel("Endpoint").fill("http://127.0.0.1:1");
  await page.getByLabel("AccessKey ID").fill("AKID");
  await page.getByLabel("AccessKey Secret").fill(secret);
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await page.getByRole("button", { name: "Save anyway" }).click();
  await expect(page.getByRole("row", { name: /with_secret/ })).toBeVisible();

  await open(page, "/data-sources/with_secret?edit=1");
  await expect(page.getByLabel("AccessKey Secret")).toHaveValue("");
  await expect(page.getByText(/set on/)).toBeVisible();
  expect(await page.content()).not.toContain(secret);
  await page.getByLabel("Description").fill("changed");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("changed", { exact: true })).toBeVisible();
  await expect(page.getByText(/set on/)).toBeVisible();
  expect(await page.content()).not.toContain(secret);
});

test("a source in use is not deleted; a project's data stays", async ({ page, warehouse }) => {
  await localSource(page, "in_use");
  await open(page, "/projects/new?source=in_use");
  await page.getByLabel("Project Name (Globally Unique)").fill("uses_it");
  await page.getByLabel("Bucket Catalog").fill(warehouse);
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await expect(page).toHaveURL(/\/worksheets\/./);

  await open(page, "/data-sources");
  await page.getByRole("button", { name: "More actions for in_use" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Delete in_use?" });
  await dialog.getByRole("textbox").fill("in_use");
  await dialog.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(dialog.getByText("Foreign server in_use is used by projects: uses_it. Delete these projects first.")).toBeVisible();
  await dialog.getByRole("button", { name: "Cancel" }).click();

  await open(page, "/projects/uses_it");
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const confirm = page.getByRole("dialog", { name: "Delete uses_it?" });
  await confirm.getByRole("textbox").fill("uses_it");
  await confirm.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page).toHaveURL(/\/projects$/);
  await expect(page.getByRole("link", { name: "uses_it" })).toHaveCount(0);
});

test("a directory with other things is refused with what lies in the way", async ({ page, warehouse }) => {
  await writeFile(join(warehouse, "readme.txt"), "not Paimon's");
  await localSource(page, "strays");
  await open(page, "/projects/new?source=strays");
  await page.getByLabel("Project Name (Globally Unique)").fill("with_strays");
  await page.getByLabel("Bucket Catalog").fill(warehouse);
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await expect(page.getByText(/readme\.txt/).first()).toBeVisible();
  await page.getByLabel("Use anyway").check();
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await expect(page).toHaveURL(/\/worksheets\/./);
  await open(page, "/projects/with_strays");
  await expect(page.getByText(/readme\.txt/)).toBeVisible();
});

test("a directory that is missing is made from its field", async ({ page, warehouse }) => {
  await localSource(page, "no_folder_yet");
  await open(page, "/projects/new?source=no_folder_yet");
  await page.getByLabel("Project Name (Globally Unique)").fill("made_its_folder");
  const field = page.getByLabel("Bucket Catalog");
  await field.fill(`${warehouse}not/there/`);
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await expect(field).toHaveAttribute("aria-invalid", "true");
  await page.getByRole("button", { name: "Create folder" }).click();
  await expect(field).not.toHaveAttribute("aria-invalid", "true");
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await expect(page).toHaveURL(/\/worksheets\/./);
});

test("what is allowed but worth knowing stands beside the form", async ({ page, warehouse }) => {
  await localSource(page, "shared_folder");
  for (const name of ["first_on_it", "second_on_it"]) {
    await open(page, "/projects/new?source=shared_folder");
    await page.getByLabel("Project Name (Globally Unique)").fill(name);
    await page.getByLabel("Bucket Catalog").fill(warehouse);
    if (name === "second_on_it") {
      const summary = page.getByRole("complementary", { name: "Summary" });
      await expect(summary.getByRole("status")).toContainText("The same directory is used by: first_on_it.");
      await page.getByRole("button", { name: "Next: Review" }).click();
      await expect(page.getByText("The same directory is used by: first_on_it.").last()).toBeVisible();
    }
    await page.getByRole("button", { name: "OK", exact: true }).click();
    await expect(page).toHaveURL(/\/worksheets\/./);
  }
});

test("a draft is kept in the browser, and can be discarded", async ({ page }) => {
  await open(page, "/data-sources/new");
  await page.getByLabel("External Data Source Name").fill("kept");
  await expect(page.getByText(/Draft saved \d\d:\d\d/)).toBeVisible();
  await open(page, "/data-sources/new");
  await expect(page.getByLabel("External Data Source Name")).toHaveValue("kept");
  await page.getByRole("button", { name: "Discard draft" }).click();
  await expect(page.getByLabel("External Data Source Name")).toHaveValue("");
  await expect(page.getByText(/Draft saved/)).toHaveCount(0);
  await open(page, "/data-sources/new");
  await expect(page.getByLabel("External Data Source Name")).toHaveValue("");
});

test("leaving a form asks, once something was typed", async ({ page }) => {
  await open(page, "/data-sources/new");
  await page.getByLabel("External Data Source Name").fill("half_done");
  await page.getByRole("link", { name: "Cancel" }).click();
  const dialog = page.getByRole("dialog", { name: "Leave without saving?" });
  await dialog.getByRole("button", { name: "Stay" }).click();
  await expect(page.getByLabel("External Data Source Name")).toHaveValue("half_done");
  await page.getByRole("link", { name: "Cancel" }).click();
  await dialog.getByRole("link", { name: "Leave" }).click();
  await expect(page).toHaveURL(/\/data-sources$/);
});

test("a source that was edited shows the test that saving made", async ({ page, warehouse }) => {
  await localSource(page, "tested_again");
  await open(page, "/data-sources/tested_again");
  const tests = page.getByRole("region", { name: "Test history" });
  await expect(tests.getByRole("listitem")).toHaveCount(1);
  await page.getByLabel("Test directory").fill(warehouse);
  await page.getByRole("button", { name: "Run again" }).click();
  await expect(tests.getByRole("listitem")).toHaveCount(2);
});

test("the list finds sources by the outcome of their last test", async ({ page }) => {
  await localSource(page, "tested_well");
  await page.getByLabel("Last test").selectOption("Connection failed.");
  await expect(page.getByRole("link", { name: "tested_well" })).toHaveCount(0);
  await page.getByLabel("Last test").selectOption("Connected");
  await expect(page.getByRole("link", { name: "tested_well" })).toBeVisible();
});

test("lists are sorted and narrowed by type, and names stay in sight", async ({ page, moto }) => {
  await page.setViewportSize({ width: 1280, height: 720 });
  await localSource(page, "of_a_folder");
  await open(page, "/data-sources/new");
  await page.getByRole("radio", { name: "S3-compatible" }).check({ force: true });
  await page.getByLabel("External Data Source Name").fill("of_a_bucket");
  await page.getByLabel("Endpoint").fill(moto.endpoint);
  await page.getByLabel("AccessKey ID").fill("moto");
  await page.getByLabel("AccessKey Secret").fill("moto-secret");
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await page.getByRole("button", { name: "Save anyway" }).click();
  const name = (name: string) => page.getByRole("link", { name, exact: true });
  await expect(name("of_a_bucket")).toBeVisible();
  await page.getByLabel("Type", { exact: true }).selectOption("Filesystem Catalog · S3-compatible");
  await expect(name("of_a_folder")).toHaveCount(0);
  await expect(name("of_a_bucket")).toBeVisible();
  await page.getByLabel("Type", { exact: true }).selectOption("Type: All");
  const types = () => page.locator("tbody tr td:nth-child(2)").allTextContents();
  for (const _ of ["ascending", "descending"]) await page.getByRole("button", { name: "Type" }).click();
  await expect.poll(async () => (await types())[0]).toBe("Filesystem Catalog · S3-compatible");

  // However far the rest was scrolled.
  const list = page.getByRole("region", { name: "External Data Source" });
  await list.evaluate((element) => (element.scrollLeft = element.scrollWidth));
  expect(await list.evaluate((element) => element.scrollLeft)).toBeGreaterThan(0);
  const left = async (of: typeof list) => (await of.boundingBox())!.x;
  expect(await left(name("of_a_bucket"))).toBeGreaterThanOrEqual(await left(list));

  await open(page, "/projects");
  await page.getByLabel("Type", { exact: true }).selectOption("Filesystem Catalog · OSS");
  await expect(page.getByText("No project matches the filter.")).toBeVisible();
  await page.getByLabel("Type", { exact: true }).selectOption("Filesystem Catalog · Local folder");
  await expect(name("sample")).toBeVisible();
  await page.getByRole("button", { name: "Type" }).click();
  await expect(page.getByRole("columnheader", { name: "Type" })).toHaveAttribute("aria-sort", "ascending");
});

test("a project copies role and endpoint from its source, and may have others", async ({ page }) => {
  const role = "acs:ram::124:role/aliyunodpsdefaultrole";
  await open(page, "/data-sources/new");
  await page.getByLabel("External Data Source Name").fill("with_role");
  await page.getByLabel("Region", { exact: true }).selectOption("cn-hangzhou");
  await page.getByLabel("RoleARN").fill(role);
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await page.getByRole("button", { name: "Save anyway" }).click();
  await expect(page.getByRole("row", { name: /with_role/ })).toBeVisible();

  await open(page, "/projects/new?source=with_role");
  await expect(page.getByRole("radio", { name: /Alibaba Cloud RAM role/ })).toBeChecked();
  await expect(page.getByLabel("RoleARN")).toHaveValue(role);
  const endpoint = page.getByLabel("Endpoint", { exact: true });
  await expect(endpoint).toHaveValue("oss-cn-hangzhou-internal.aliyuncs.com");
  const storage = page.getByRole("group", { name: "Storage Type" });
  await expect(storage.getByRole("radio", { name: "OSS", exact: true })).toBeChecked();
  await expect(storage.getByRole("radio", { name: "OSS-HDFS" })).toBeDisabled();
  // Another source, other values: what was typed for one means nothing for another.
  await endpoint.fill("oss-cn-beijing.aliyuncs.com");
  await page.getByLabel("MaxCompute Foreign Server Name").selectOption({ value: "sample_local" });
  await expect(endpoint).toHaveCount(0);
  await expect(page.getByRole("radio", { name: /As the data source/ })).toBeChecked();
  await page.getByLabel("MaxCompute Foreign Server Name").selectOption({ value: "with_role" });
  await expect(page.getByLabel("RoleARN")).toHaveValue(role);
  await expect(endpoint).toHaveValue("oss-cn-hangzhou-internal.aliyuncs.com");
  // What is there for pages without scripts is not shown.
  const displays = page.locator("noscript").evaluateAll((all) => all.map((it) => getComputedStyle(it).display));
  expect(new Set(await displays)).toEqual(new Set(["none"]));
  await rule(page, "Endpoint", "http://h/path", "Give host or host:port, with http:// or https:// if you like, without a path.");
  await rule(page, "Endpoint", "oss-cn-hangzhou.aliyuncs.com", null);
  await page.getByRole("button", { name: "Reset" }).click();
  await expect(endpoint).toHaveValue("oss-cn-hangzhou-internal.aliyuncs.com");
});

test("a project reaches its store by its own endpoint", async ({ page, moto }) => {
  const bucket = await moto.bucket();
  await open(page, "/data-sources/new");
  await page.getByRole("radio", { name: "S3-compatible" }).check({ force: true });
  await page.getByLabel("External Data Source Name").fill("elsewhere");
  await page.getByLabel("Endpoint").fill("http://127.0.0.1:1");
  await page.getByLabel("AccessKey ID").fill("moto");
  await page.getByLabel("AccessKey Secret").fill("moto-secret");
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await page.getByRole("button", { name: "Save anyway" }).click();
  await expect(page.getByRole("row", { name: /elsewhere/ })).toBeVisible();
  await open(page, "/projects/new?source=elsewhere");
  await page.getByLabel("Project Name (Globally Unique)").fill("by_its_own");
  await page.getByLabel("Bucket Catalog").fill(`s3://${bucket}/`);
  await page.getByLabel("Endpoint", { exact: true }).fill(moto.endpoint);
  await page.getByRole("button", { name: "Next: Review" }).click();
  await expect(page.getByText(`'s3.endpoint' = '${moto.endpoint}'`)).toBeVisible();
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await expect(page).toHaveURL(/\/worksheets\/./);
  await expect(page.getByRole("treeitem", { name: /^default/ })).toBeVisible();
  await open(page, "/projects/by_its_own");
  await expect(page.getByText(moto.endpoint, { exact: true })).toBeVisible();
});

test("a test that may not start changes no verdict", async ({ page, context }) => {
  await localSource(page, "tested_before");
  const row = page.getByRole("row", { name: /tested_before/ });
  await expect(row.getByText("Connected", { exact: true })).toBeVisible({ timeout: 15_000 });
  await context.clearCookies();
  await page.getByRole("button", { name: "Test all" }).click();
  await expect(row.getByRole("alert")).toContainText("Sign in");
  await expect(row.getByText("Connected", { exact: true })).toBeVisible();
});

test("the prerequisites follow what is typed", async ({ page, moto }) => {
  const bucket = await moto.bucket();
  await open(page, "/data-sources/new");
  await page.getByRole("radio", { name: "S3-compatible" }).check({ force: true });
  await page.getByLabel("Endpoint").fill("http://127.0.0.1:1");
  await page.getByLabel("AccessKey ID").fill("moto");
  await page.getByLabel("AccessKey Secret").fill("moto-secret");
  await page.getByLabel("Test directory").fill(`s3://${bucket}/`);
  const storage = page.getByRole("complementary", { name: "Test connection" }).getByRole("listitem").filter({ hasText: /^Storage/ });
  await expect(storage).toContainText(/refused|answer|reach/, { timeout: 15_000 });
  await page.getByLabel("Endpoint").fill(moto.endpoint);
  await expect(storage).toContainText(`s3://${bucket}/ can be listed.`, { timeout: 15_000 });
});

test.describe("in Chinese", () => {
  test("regions have Chinese names", async ({ page, context, baseURL }) => {
    await context.addCookies([{ name: "language", value: "zh-CN", url: baseURL }]);
    await open(page, "/data-sources/new");
    const regions = page.locator("#region option");
    expect(await regions.count()).toBeGreaterThan(10);
    for (const name of await regions.allTextContents()) expect(name).toMatch(/\p{Script=Han}/u);
  });
});

test("the folder icon browses the store and makes a folder", async ({ page, warehouse }) => {
  await mkdir(join(warehouse, "lake", "default.db"), { recursive: true });
  await localSource(page, "browsed");
  await open(page, "/projects/new?source=browsed");
  await page.getByLabel("Bucket Catalog").fill(warehouse);
  await page.getByRole("button", { name: "Browse" }).click();
  const dialog = page.getByRole("dialog", { name: "Choose a folder" });
  await expect(dialog.getByText("Paimon warehouse")).toBeVisible();
  await dialog.getByLabel("Name of the new folder").fill("fresh");
  await dialog.getByRole("button", { name: "New folder" }).click();
  await expect(dialog.getByText("This folder is empty.")).toBeVisible();
  await dialog.getByRole("button", { name: "Choose this folder" }).last().click();
  await expect(page.getByLabel("Bucket Catalog")).toHaveValue(`${warehouse}fresh/`);
});

test("two editors: the second is told who was faster", async ({ page, browser, session, server }) => {
  await localSource(page, "contended");
  const other = await (await browser.newContext({ baseURL: server.url, storageState: session })).newPage();
  await open(page, "/data-sources/contended?edit=1");
  await open(other, "/data-sources/contended?edit=1");
  await other.getByLabel("Description").fill("theirs");
  await other.getByRole("button", { name: "Save", exact: true }).click();
  await expect(other.getByText("theirs")).toBeVisible();
  await page.getByLabel("Description").fill("mine");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByRole("alert").filter({ hasText: /^Changed by .* at .*; reload\.$/ })).toBeVisible();
  await expect(page.getByLabel("Description")).toHaveValue("mine");
  await other.context().close();
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`accessible, ${colorScheme}`, () => {
    test.use({ colorScheme });

    test("the form of a data source, its test and its dialogs", async ({ page, warehouse }) => {
      await open(page, "/data-sources/new");
      await expectAccessible(page);
      await page.getByRole("button", { name: "OK", exact: true }).click();
      await expect(page.getByText("3 fields need attention")).toBeVisible();
      await expectAccessible(page);
      // A test that stops half-way shows every state of a step.
      await page.getByRole("radio", { name: "S3-compatible" }).check({ force: true });
      await page.getByLabel("External Data Source Name").fill("for_everyone");
      await page.getByLabel("Endpoint").fill("http://127.0.0.1:1");
      await page.getByLabel("AccessKey ID").fill("AKID");
      await page.getByLabel("AccessKey Secret").fill("secret");
      const panel = page.getByRole("complementary", { name: "Test connection" });
      await panel.getByRole("button", { name: "Test connection" }).click();
      await expect(panel.getByText("Connection failed.")).toBeVisible();
      await expectAccessible(page);
      await page.getByRole("button", { name: "OK", exact: true }).click();
      await expect(page.getByRole("dialog", { name: "Save without a successful test?" })).toBeVisible();
      await expectAccessible(page);
      await page.keyboard.press("Escape");

      await page.getByRole("radio", { name: "Local folder" }).check({ force: true });
      await page.getByLabel("Test directory").fill(warehouse);
      await page.getByRole("button", { name: "Browse" }).click();
      await expect(page.getByRole("dialog", { name: "Choose a folder" }).getByText("This folder is empty.")).toBeVisible();
      await expectAccessible(page);
    });

    test("details and edit of a data source, and its deletion", async ({ page }) => {
      const name = `seen_${colorScheme}`;
      await localSource(page, name);
      await expectAccessible(page);
      await open(page, `/data-sources/${name}`);
      await expectAccessible(page);
      await page.getByRole("button", { name: "Delete", exact: true }).click();
      await expect(page.getByRole("dialog", { name: `Delete ${name}?` })).toBeVisible();
      await expectAccessible(page);
      await open(page, `/data-sources/${name}?edit=1`);
      await expectAccessible(page);
    });

    test("the form of a project and its review", async ({ page, warehouse }) => {
      await open(page, "/projects/new?source=sample_local");
      await expectAccessible(page);
      await page.getByRole("radio", { name: /Create Foreign Server/ }).check();
      await page.getByRole("button", { name: "OK", exact: true }).click();
      await expect(page.getByText(/fields need attention/)).toBeVisible();
      await expectAccessible(page);
      await open(page, "/projects/new?source=sample_local");
      await page.getByRole("radio", { name: /Use Existing/ }).check();
      await page.getByLabel("Project Name (Globally Unique)").fill("reviewed");
      await page.getByLabel("Bucket Catalog").fill(warehouse);
      await page.getByRole("button", { name: "Next: Review" }).click();
      await expect(page.getByText("What happens on OK")).toBeVisible();
      await expectAccessible(page);
    });

    test("details and edit of a project, and its dialogs", async ({ page }) => {
      await open(page, "/projects/sample");
      await expect(page.getByText("Abnormal objects")).toBeVisible();
      await expectAccessible(page);
      for (const verb of ["Disable", "Delete"]) {
        await page.getByRole("button", { name: verb, exact: true }).click();
        await expect(page.getByRole("dialog", { name: `${verb} sample?` })).toBeVisible();
        await expectAccessible(page);
        await page.keyboard.press("Escape");
      }
      await open(page, "/projects/sample?edit=1");
      await expectAccessible(page);
    });
  });
}

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("lists and create forms work", async ({ page, warehouse }) => {
    await page.goto("/data-sources/new?storage=local");
    await page.getByLabel("External Data Source Name").fill("no_script");
    await page.getByRole("button", { name: "OK", exact: true }).click();
    await expect(page.getByRole("link", { name: "no_script" })).toBeVisible();
    await page.goto("/projects/new?source=no_script");
    await page.getByLabel("Project Name (Globally Unique)").fill("no_script_project");
    await page.getByLabel("Bucket Catalog").fill(warehouse);
    await page.getByRole("button", { name: "OK", exact: true }).click();
    await expect(page).toHaveURL(/\/worksheets\/./);
    await page.goto("/projects");
    await expect(page.getByRole("link", { name: "no_script_project", exact: true })).toBeVisible();
  });

  test("a wrong name is told", async ({ page }) => {
    await page.goto("/data-sources/new?storage=local");
    await page.getByLabel("External Data Source Name").fill("Wrong-Name");
    await page.getByRole("button", { name: "OK", exact: true }).click();
    await expect(page.getByRole("alert").filter({ hasText: NAME })).toBeVisible();
  });
});
