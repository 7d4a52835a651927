/** The tokens of npm run serve: what cannot be meant stops it at every start, and hashes and scopes hold once it runs. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { freePorts } from "../../scripts/system/ports.ts";
import { scriptArguments } from "../script.ts";
import { expectProblem, fixture, labelsOf, post } from "./client.ts";
import { addTiny } from "./tiny-model.ts";

const coffee = fixture("coffee.png");
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

let folder: string;
let child: ChildProcess | undefined;
let url = "";
let log = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "edge-labeler-tokens-"));
  addTiny(join(folder, "models"), "tiny");
});
afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child?.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Starts npm run serve's program with these secrets. @returns Its exit code, once it has ended. */
async function serve(secrets: Record<string, string>): Promise<{ ended: Promise<number | null> }> {
  const [port] = await freePorts(1);
  url = `http://127.0.0.1:${port}`;
  log = "";
  const folders = ["--state", join(folder, "state"), "--models", join(folder, "models")];
  const args = ["--port", String(port), ...folders, "--var", "DEFAULT_MODEL:tiny"];
  const env = { ...process.env, LABELER_TOKEN: undefined, ...secrets };
  child = spawn(process.execPath, scriptArguments("serve", args), { env });
  child.stdout?.on("data", (data) => (log += data));
  child.stderr?.on("data", (data) => (log += data));
  return { ended: new Promise((resolve) => child?.once("exit", resolve)) };
}

it("knows tokens by their hashes, and what each may do", async () => {
  const gateway = `gateway:submit:${sha256("first")}`;
  await serve({ LABELER_TOKENS: `${gateway}, reader:label+results:${sha256("second")}` });
  await expect.poll(() => log, { timeout: 60_000 }).toMatch(/Edge Labeler at/);
  expect((await post(`${url}/ekuiper/sink?id=a`, coffee, bearer("first"))).status).toBe(204);
  const refused = await fetch(`${url}/results`, { headers: bearer("first") });
  expect(refused.headers.get("www-authenticate")).toMatch(/error="insufficient_scope", scope="results"$/);
  await expectProblem(
    refused,
    403,
    "insufficient-scope",
    /"gateway" has the scopes submit, and this call needs results/,
  );
  expect((await labelsOf(await post(`${url}/label`, coffee, bearer("second")))).length).toBeGreaterThan(0);
  expect(await (await fetch(`${url}/results/a`, { headers: bearer("second") })).json()).toMatchObject({ id: "a" });
});

// The Worker is there already, so that nothing but the secrets themselves can be what stops it.
it.each([
  [{ LABELER_TOKENS: "" }, /LABELER_TOKENS: is set but has no token in it/],
  [{ LABELER_TOKENS: "," }, /LABELER_TOKENS: is set but has no token in it/],
  [{ LABELER_TOKENS: " " }, /LABELER_TOKENS: is set but has no token in it/],
  [{ LABELER_TOKENS: `a:${"0".repeat(64)},a:${"1".repeat(64)}` }, /two tokens are called "a"/],
  [{ LABELER_TOKEN: "" }, /LABELER_TOKEN: is set but empty/],
  [{ LABELER_TOKEN: "s3cret\n" }, /LABELER_TOKEN: contains a blank or a line feed/],
  [{ LABELER_TOKEN: "s3 cret" }, /LABELER_TOKEN: contains a blank or a line feed/],
  [{ PUSH_TOKEN: "schlüssel" }, /PUSH_TOKEN: may only contain letters/],
])("does not start with %j", async (secrets, message) => {
  const { ended } = await serve(secrets);
  expect(await ended).toBe(2);
  expect(log).toMatch(message);
  expect(log).not.toMatch(/s3cret|s3 cret|schlüssel|at .*\.ts/);
});
