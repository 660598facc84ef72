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

  await page.getByLabel("Region").selectOption("cn-hangzhou");
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
