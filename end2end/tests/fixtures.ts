/**
 * The real binary for each worker, on a free port with a data directory of its own, and a page that is signed in.
 * A test fails when the page logs an error or throws.
 */
import { type APIRequestContext, type BrowserContext, expect, type Page, request, test as base } from "@playwright/test";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

/** The owner's password in every test. */
export const PASSWORD = "correct horse battery staple";

export interface Server {
  /** `http://127.0.0.1:<port>`. */
  url: string;
  dataDir: string;
  /** The one-time link, when the server was started without a password. */
  signInLink: string | undefined;
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/** Starts a server; `password: null` leaves the owner without one, so that the link is printed. */
export async function startServer(
  options: { dataDir?: string; listen?: string; password?: string | null; args?: string[] } = {},
): Promise<Server> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "lakedeck-e2e-")));
  const password = options.password === undefined ? PASSWORD : options.password;
  const child = spawn(
    binary(),
    ["serve", "--listen", options.listen ?? "127.0.0.1:0", "--data-dir", dataDir, "--no-open", "--allowed-roots", tmpdir(), ...(options.args ?? [])],
    {
      stdio: ["ignore", "pipe", process.env.LAKEDECK_LOG ? "inherit" : "ignore"],
      env: { ...process.env, ...(password === null ? {} : { LAKEDECK_ADMIN_PASSWORD: password }) },
    },
  );
  const { url, signInLink } = await firstLines(child, password === null);
  return {
    url,
    dataDir,
    signInLink,
    stop: async (signal = "SIGTERM") => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((ok) => child.once("exit", ok));
      child.kill(signal);
      await gone;
    },
  };
}

function binary(): string {
  const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), ".cache/lakedeck-target");
  return process.env.LAKEDECK_BIN ?? resolve(target, "ci/lakedeck");
}

function firstLines(child: ChildProcess, wantsLink: boolean): Promise<{ url: string; signInLink: string | undefined }> {
  return new Promise((ok, bad) => {
    let url: string | undefined;
    const lines = createInterface({ input: child.stdout! });
    lines.on("line", (line) => {
      url ??= /^listening on (\S+)/.exec(line)?.[1];
      const signInLink = /^sign in: (\S+)/.exec(line)?.[1];
      if (url && (signInLink || !wantsLink)) ok({ url, signInLink });
    });
    child.once("exit", (code) => bad(new Error(`the server stopped with ${code}`)));
    child.once("error", bad);
  });
}

/** The cookies of a signed-in owner. */
export async function signIn(url: string, password = PASSWORD) {
  // In a test the cookies of its page would come along, and signing in would end that page's session.
  const api: APIRequestContext = await request.newContext({ baseURL: url, storageState: { cookies: [], origins: [] } });
  const answer = await api.post("/session/sign-in", {
    form: { name: "root", password, next: "/" },
    headers: { origin: url },
    maxRedirects: 0,
  });
  expect(answer.status()).toBe(303);
  expect(answer.headers()["location"]).toBe("/");
  const state = await api.storageState();
  await api.dispose();
  return state;
}

/** Waits until the page has been taken over by the application: before, a click posts a form. */
export async function hydrated(page: Page) {
  await page.locator("html[data-hydrated]").waitFor({ state: "attached" });
}

/** Goes to an address and waits for hydration. */
export async function open(page: Page, path: string) {
  await page.goto(path);
  await hydrated(page);
}

/** moto's server, as the Rust tests run it. */
const MOTO = new URL("../../crates/testkit/src/moto_server.py", import.meta.url).pathname;

export interface Moto {
  /** `http://127.0.0.1:<port>`: an S3 API that takes any access key. */
  endpoint: string;
  /** Makes a bucket and gives its name. */
  bucket(): Promise<string>;
}

async function startMoto(): Promise<Moto & { stop(): void }> {
  const python = process.env.LAKEDECK_PYTHON ?? join(homedir(), ".cache/lakedeck-venv/bin/python");
  const child = spawn(python, [MOTO], { stdio: ["pipe", "pipe", "ignore"] });
  const port = await new Promise<string>((ok, bad) => {
    createInterface({ input: child.stdout }).once("line", ok);
    child.once("exit", (code) => bad(new Error(`moto stopped with ${code}`)));
    child.once("error", bad);
  });
  const endpoint = `http://127.0.0.1:${port}`;
  let count = 0;
  return {
    endpoint,
    bucket: async () => {
      const name = `bucket-${++count}`;
      // moto looks at the key in the header, not at the signature.
      const authorization = "AWS4-HMAC-SHA256 Credential=moto/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
      const answer = await fetch(`${endpoint}/${name}`, { method: "PUT", headers: { authorization } });
      expect(answer.status).toBe(200);
      return name;
    },
    stop: () => child.kill(),
  };
}

interface TestFixtures {
  failOnErrors: void;
  anonymous: Page;
  warehouse: string;
}

interface WorkerFixtures {
  server: Server;
  session: Awaited<ReturnType<typeof signIn>>;
  moto: Moto;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  server: [
    async ({}, use) => {
      const server = await startServer();
      await use(server);
      await server.stop();
      await rm(server.dataDir, { recursive: true, force: true });
    },
    { scope: "worker", timeout: 120_000 },
  ],
  moto: [
    async ({}, use) => {
      const moto = await startMoto();
      await use(moto);
      moto.stop();
    },
    { scope: "worker", timeout: 60_000 },
  ],
  session: [async ({ server }, use) => use(await signIn(server.url)), { scope: "worker" }],
  baseURL: async ({ server }, use) => use(server.url),
  storageState: async ({ session }, use) => use(session),
  // Every test starts at home, signed in.
  page: async ({ page, javaScriptEnabled }, use) => {
    await page.goto("/");
    if (javaScriptEnabled) await hydrated(page);
    await use(page);
  },
  // An empty folder that a warehouse may be made in, with a slash at its end.
  warehouse: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), "lakedeck-warehouse-"));
    await use(`${folder}/`);
    await rm(folder, { recursive: true, force: true });
  },
  failOnErrors: [
    async ({ page }, use) => {
      const errors: string[] = [];
      watchErrors(page, errors);
      await use();
      expect(errors).toEqual([]);
    },
    { auto: true },
  ],
  anonymous: async ({ browser, server }, use) => {
    const context: BrowserContext = await browser.newContext({ baseURL: server.url, storageState: undefined });
    await use(await context.newPage());
    await context.close();
  },
});

/** Collects what the page complains about. Refused requests are answers, not faults. */
export function watchErrors(page: Page, errors: string[]) {
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    const isRefusal = /Failed to load resource: the server responded with a status of 4\d\d/.test(message.text());
    if (message.type() === "error" && !isRefusal) errors.push(message.text());
  });
}

export { expect };
