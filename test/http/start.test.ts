/** npm start itself, with a folder of models that changes while it runs. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { freePorts } from "../../scripts/lib/ports.ts";
import { expectProblem, fixture, labelsOf, post } from "./client.ts";
import { addTiny } from "./tiny-model.ts";

const coffee = fixture("coffee.png");
const models = mkdtempSync(join(tmpdir(), "models-"));
let npm: ChildProcess;
let url: string;
let log = "";

function stop(): void {
  if (npm.pid !== undefined && npm.exitCode === null && npm.signalCode === null) process.kill(-npm.pid, "SIGTERM");
}

beforeAll(async () => {
  addTiny(models, "first");
  addTiny(models, "broken", { file: "bad-custom-op.tflite" });
  const [port] = await freePorts(1);
  url = `http://127.0.0.1:${port}`;
  const args = ["start", "--", "--port", String(port), "--assets", models, "--var", "DEFAULT_MODEL:first"];
  npm = spawn("npm", args, { detached: true });
  npm.stdout?.on("data", (data) => (log += data));
  npm.stderr?.on("data", (data) => (log += data));
  await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).status, log).toBe(200), { timeout: 60_000 });
});
afterAll(() => {
  stop();
  rmSync(models, { recursive: true });
});

it("says which model cannot be used and why, and serves the others", async () => {
  expect(log).toMatch(/Not usable: .*broken\/model\.tflite: .*CUSTOM Foo/);
  expect((await labelsOf(await post(`${url}/label`, coffee))).length).toBe(4);
});

it("has a model that was dropped in while it ran", async () => {
  await expectProblem(await post(`${url}/label?model=late`, coffee), 404, "unknown-model", /Installed: broken, first/);
  addTiny(models, "late");
  const status = () =>
    post(`${url}/label?model=late`, coffee).then(
      (r) => r.status,
      () => 0,
    );
  await expect.poll(status, { timeout: 20_000, interval: 200 }).toBe(200);
});

it("ends with its children when npm gets a SIGTERM", async () => {
  const ended = new Promise((resolve) => npm.on("exit", resolve));
  // npm alone, as a supervisor would do it.
  npm.kill("SIGTERM");
  await ended;
  const answers = () =>
    fetch(`${url}/healthz`).then(
      () => "answers",
      () => "silent",
    );
  await expect.poll(answers, { timeout: 20_000, interval: 200 }).toBe("silent");
});
