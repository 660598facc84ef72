import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expectAccessible } from "./accessible";
import { expect, open, PASSWORD, signIn, startServer, test } from "./fixtures";

const PAGES = [
  // The home page of a first run, or the overview once there are worksheets.
  ["/", /^(Your lakehouse console is running|Home)$/],
  ["/quotas", "Quotas"],
  ["/settings", "Settings"],
  ["/data-sources", "External Data Source"],
  ["/projects", "Projects"],
] as const;

test("signs in by name and password, and out again", async ({ anonymous: page }) => {
  await page.goto("/quotas");
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await page.getByLabel("Name").fill("root");
  await page.getByLabel("Password").fill("wrong password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("Name or password is wrong.");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Quotas" })).toBeVisible();
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await page.goto("/quotas");
  await expect(page).toHaveURL(/\/sign-in/);
});

test("the one-time link signs in once, and a password can be chosen", async ({ browser }) => {
  const server = await startServer({ password: null });
  try {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(server.signInLink!);
    await expect(page.getByRole("heading", { name: "Your lakehouse console is running" })).toBeVisible();
    await page.getByRole("link", { name: "Choose a password" }).click();
    await page.getByLabel("New password", { exact: true }).fill(PASSWORD);
    await page.getByLabel("New password again").fill(PASSWORD + "!");
    await page.getByRole("button", { name: "Save password" }).click();
    await expect(page.getByText("The two passwords differ.")).toBeVisible();
    await page.getByLabel("New password again").fill(PASSWORD);
    await page.getByRole("button", { name: "Save password" }).click();
    await expect(page.getByText("Password saved")).toBeVisible();
    await context.close();

    const other = await (await browser.newContext()).newPage();
    await other.goto(server.signInLink!);
    await expect(other.getByRole("alert")).toContainText("This link was used already");
    await signIn(server.url);
  } finally {
    await server.stop();
    await rm(server.dataDir, { recursive: true, force: true });
  }
});

test("navigates by the rail, and says where it is", async ({ page }) => {
  await open(page, "/");
  const rail = page.getByRole("navigation", { name: "Main" });
  for (const [entry, heading] of [["Quotas", "Quotas"], ["Settings", "Settings"], ["External Data Source", "External Data Source"]]) {
    await rail.getByRole("link", { name: entry }).click();
    await expect(page.getByRole("heading", { level: 1, name: heading })).toBeVisible();
    await expect(rail.getByRole("link", { name: entry })).toHaveAttribute("aria-current", "page");
    await expect(page.getByRole("navigation", { name: "Breadcrumb" })).toContainText(entry);
    await expect(page).toHaveTitle(`${heading} · Lakedeck`);
  }
  await page.goBack();
  await expect(page.getByRole("heading", { level: 1, name: "Settings" })).toBeVisible();
});

test("the status strip tells time zone, region and engine", async ({ page }) => {
  await open(page, "/");
  const strip = page.getByRole("contentinfo", { name: "Status" });
  await expect(strip).toContainText("Time zone UTC");
  await expect(strip).toContainText("Region local");
  await expect(strip).toContainText(/Lakedeck \d+\.\d+\.\d+ · DataFusion \d+/);
});

test("who waits longer than five seconds may stop waiting", async ({ page }) => {
  await open(page, "/");
  let release = () => {};
  const held = new Promise<void>((ok) => (release = ok));
  await page.route("**/fn/data_source/list*", async (route) => {
    await held;
    await route.continue();
  });
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "External Data Source" }).click();
  const cancel = page.getByRole("main").getByRole("button", { name: "Cancel" });
  await expect(cancel).toBeHidden();
  await expect(cancel).toBeVisible();
  await cancel.click();
  await expect(page.getByRole("alert").filter({ hasText: "You stopped waiting" })).toBeVisible();
  release();
  await expect(page.getByRole("link", { name: "sample_local" })).toBeVisible();
});

test("panels beside a page are sheets where there is no room", async ({ page }) => {
  await page.setViewportSize({ width: 900, height: 800 });
  await open(page, "/data-sources/new");
  const panel = page.getByRole("complementary", { name: "Test connection" });
  await expect(panel).toBeHidden();
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await expect(panel).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(panel).toBeHidden();
  await open(page, "/projects/new");
  await page.getByRole("button", { name: "Summary" }).click();
  const summary = page.getByRole("complementary", { name: "Summary" });
  await expect(summary).toBeVisible();
  await summary.getByRole("button", { name: "Close" }).click();
  await expect(summary).toBeHidden();
  // Nothing reaches over the edge of the window.
  for (const path of ["/", "/data-sources", "/projects/sample", "/data-sources/sample_local", "/settings", "/help/types"]) {
    await open(page, path);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(over, path).toBeLessThanOrEqual(0);
  }
});

test("keeps theme, density, rail and language over a reload, and draws them before any script", async ({ page, context }) => {
  await open(page, "/");
  const root = page.locator("html");
  await page.getByRole("button", { name: "Theme" }).click();
  await page.getByRole("button", { name: "Dark" }).click();
  await expect(root).toHaveAttribute("data-theme", "lakedeck-dark");
  await page.getByRole("button", { name: "Theme" }).click();
  await page.getByRole("button", { name: "Comfortable" }).click();
  await page.getByRole("button", { name: "Collapse" }).click();
  await expect(root).toHaveAttribute("data-rail", "collapsed");
  const html = await (await context.request.get("/")).text();
  expect(html).toMatch(/<html[^>]*data-theme="lakedeck-dark"/);
  expect(html).toMatch(/<html[^>]*data-density="comfortable"/);
  expect(html).toMatch(/<html[^>]*data-rail="collapsed"/);
  await page.getByRole("button", { name: /Language/ }).click();
  await page.getByRole("button", { name: "简体中文" }).click();
  await expect(page.getByRole("link", { name: "配额" })).toBeVisible();
  await expect(root).toHaveAttribute("lang", "zh-CN");
  await page.reload();
  await expect(page.getByRole("link", { name: "配额" })).toBeVisible();
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("signs in, changes theme and language, and sets preferences", async ({ anonymous: page }) => {
    await page.goto("/quotas");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("heading", { name: "Quotas" })).toBeVisible();
    await expect(page.getByRole("cell", { name: "default" })).toBeVisible();
    await page.goto("/settings");
    await page.getByRole("main").getByRole("button", { name: "Dark" }).click();
    await expect(page.locator("html")).toHaveAttribute("data-theme", "lakedeck-dark");
    await page.getByRole("main").getByRole("button", { name: "简体中文" }).click();
    await expect(page.getByRole("heading", { name: "设置" })).toBeVisible();
  });
});

test("a page that does not exist says so, with status 404", async ({ page }) => {
  const answer = await page.goto("/nowhere/at/all");
  expect(answer?.status()).toBe(404);
  await expect(page.getByRole("heading", { name: "Page not found" })).toBeAttached();
});

test("the skip link leads to the content", async ({ page }) => {
  await open(page, "/quotas");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main")).toBeFocused();
});

test("says when the connection is gone", async ({ page, context }) => {
  await open(page, "/");
  const status = page.getByRole("contentinfo", { name: "Status" });
  await expect(status).toContainText("Connected");
  await context.setOffline(true);
  await expect(status).toContainText("Not connected");
  await context.setOffline(false);
  await expect(status).toContainText("Connected");
});

for (const theme of ["light", "dark"]) {
  for (const [path, heading] of PAGES) {
    test(`${path} has no accessibility violation, ${theme}`, async ({ page, context, server }) => {
      await context.addCookies([{ name: "theme", value: theme, url: server.url }]);
      await open(page, path);
      await expect(page.getByRole("heading", { level: 1, name: heading })).toBeVisible();
      await expectAccessible(page);
    });
  }
  test(`/sign-in and /welcome have no accessibility violation, ${theme}`, async ({ anonymous: page, server }) => {
    await page.context().addCookies([{ name: "theme", value: theme, url: server.url }]);
    await page.goto("/sign-in?error=unauthenticated");
    await expectAccessible(page);
    await page.goto("/welcome?token=used&error=1");
    await expect(page.getByRole("alert")).toContainText("This link was used already");
    await expectAccessible(page);
    // The script presses the button by itself: without it the page stands still.
    await page.route("**/pkg/**/*.js", (route) => route.abort());
    await page.goto("/welcome?token=unused&next=%2Fquotas");
    await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
    await expect(page.locator("input[name=next]")).toHaveValue("/quotas");
    await expectAccessible(page);
  });
}

test("the current region is chosen where more than one is enabled, and what is made is made in it", async ({ browser }) => {
  const dataDir = await mkdtemp(join(tmpdir(), "lakedeck-e2e-"));
  const region = (id: string, name: string) => `[[region]]\nid = "${id}"\nname = "${name}"\noss = true\nmaxcompute = true\nenabled = true\n`;
  await writeFile(join(dataDir, "regions.toml"), region("local", "Local") + region("cn-hangzhou", "China (Hangzhou)"));
  const server = await startServer({ dataDir });
  try {
    const context = await browser.newContext({ baseURL: server.url, storageState: await signIn(server.url) });
    const page = await context.newPage();
    await open(page, "/data-sources/new");
    await page.getByRole("button", { name: "Region: Local" }).click();
    await page.getByRole("button", { name: "China (Hangzhou)" }).click();
    await expect(page.getByRole("button", { name: "Region: China (Hangzhou)" })).toBeVisible();
    await expect(page.getByLabel("Region", { exact: true })).toHaveValue("cn-hangzhou");
    await expect(page.getByLabel("Endpoint")).toHaveValue("oss-cn-hangzhou-internal.aliyuncs.com");
    await open(page, "/projects/new");
    await expect(page.getByLabel("Region", { exact: true })).toHaveValue("China (Hangzhou)");
    await context.close();
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
});
