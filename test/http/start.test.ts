/** `npm start`: a folder of models that changes while it runs, who may connect, and what wrangler serves besides. */
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { freePorts } from "../../scripts/system/ports.ts";
import { runAgain } from "../../scripts/user/start/again.ts";
import { scriptArguments } from "../script.ts";
import { expectProblem, fixture, labelsOf, post } from "./client.ts";
import { addTiny } from "./tiny-model.ts";

const coffee = fixture("coffee.png");
const models = mkdtempSync(join(tmpdir(), "models-"));
const state = mkdtempSync(join(tmpdir(), "state-"));
const TOKEN = "s3cret-of-the-start-test";
const headers = { authorization: `Bearer ${TOKEN}` };
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
  const options = ["--assets", models, "--persist-to", state, "--var", "DEFAULT_MODEL:first"];
  npm = spawn("npm", ["start", "--", "--port", String(port), ...options], {
    detached: true,
    env: { ...process.env, LABELER_TOKEN: TOKEN },
  });
  npm.stdout?.on("data", (data) => (log += data));
  npm.stderr?.on("data", (data) => (log += data));
  await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).status, log).toBe(200), { timeout: 60_000 });
});
afterAll(() => {
  stop();
  for (const folder of [models, state]) rmSync(folder, { recursive: true });
});

it("says which model cannot be used and why, and serves the others", async () => {
  expect(log).toMatch(/Not usable: .*broken\/model\.tflite: .*gives a value for each place/);
  expect((await labelsOf(await post(`${url}/label`, coffee, headers))).length).toBe(4);
});

it("has a model that was dropped in while it ran", async () => {
  await expectProblem(
    await post(`${url}/label?model=late`, coffee, headers),
    404,
    "unknown-model",
    /Installed: broken, first/,
  );
  addTiny(models, "late");
  const status = () =>
    post(`${url}/label?model=late`, coffee, headers).then(
      (r) => r.status,
      () => 0,
    );
  await expect.poll(status, { timeout: 20_000, interval: 200 }).toBe(200);
});

it("lists a model of more than 25 MiB that was put in while it ran as not usable, and goes on", async () => {
  addTiny(models, "large");
  const file = readFileSync(join(models, "large", "model.tflite"));
  const padded = Buffer.concat([file, Buffer.alloc(26 << 20)]);
  writeFileSync(join(models, "large", "model.tflite"), padded);
  writeFileSync(join(models, "large", "backup.h5"), padded);
  writeFileSync(join(models, "backup.zip"), padded);
  const entry = async () => {
    const response = await fetch(`${url}/models/large`, { headers }).catch(() => undefined);
    return response?.json() as Promise<{ readonly error?: string } | undefined>;
  };
  const reason = /large\/model\.tflite has 26 MiB, and Cloudflare and npm start serve 25 at most/;
  await expect.poll(async () => (await entry())?.error, { timeout: 60_000, interval: 200 }).toMatch(reason);
  await expectProblem(await post(`${url}/label?model=large`, coffee, headers), 500, "model-unusable", reason);
  expect(log).toMatch(/Not usable: .*large\/model\.tflite has 26 MiB/);
  expect((await labelsOf(await post(`${url}/label?model=late`, coffee, headers))).length).toBe(4);
  expect(npm.exitCode).toBeNull();
});

it("goes on when a model's file grows beyond 25 MiB in place, and has the model again when it is small", async () => {
  const path = join(models, "late", "model.tflite");
  const file = readFileSync(path);
  const status = (name: string) =>
    post(`${url}/label?model=${name}`, coffee, headers).then(
      (response) => response.status,
      () => 0,
    );
  for (let mebibyte = 0; mebibyte < 27; mebibyte++) appendFileSync(path, Buffer.alloc(1 << 20));
  await expect.poll(() => status("late"), { timeout: 60_000, interval: 200 }).toBe(500);
  await expect.poll(() => status("first"), { timeout: 60_000, interval: 200 }).toBe(200);
  writeFileSync(path, file);
  await expect.poll(() => status("late"), { timeout: 60_000, interval: 200 }).toBe(200);
  expect(npm.exitCode).toBeNull();
}, 200_000);

describe("a server that ends because a file has grown", () => {
  /** Runs it with the exit codes and the files that are too large before and after each. */
  async function play(codes: readonly number[], files: readonly (readonly string[])[]) {
    const [left, found] = [[...codes], [...files]];
    const out: string[] = [];
    const code = await runAgain({
      run: async () => left.shift() ?? 99,
      tooLarge: async () => found.shift() ?? [],
      leaveOut: async (names) => void out.push(...names),
    });
    return { code, out };
  }

  it("starts again without it", async () => {
    expect(await play([1, 0], [[], ["a"]])).toEqual({ code: 0, out: ["a"] });
    expect(await play([1, 1, 130], [["a"], ["a", "b"], ["a", "b", "c"]])).toEqual({ code: 130, out: ["b", "c"] });
  });

  it("ends where nothing has grown, such as when its port is taken", async () => {
    expect(await play([1, 0], [["a"], ["a"]])).toEqual({ code: 1, out: [] });
    expect(await play([1, 1, 0], [[], ["a"], ["a"]])).toEqual({ code: 1, out: ["a"] });
    expect(await play([143, 0], [[], ["a"]])).toEqual({ code: 143, out: [] });
  });
});

it("takes its token from the environment, and shows it to nobody", async () => {
  expect((await post(`${url}/label`, coffee)).status).toBe(401);
  const commands = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return ""; // it has ended meanwhile
      }
    });
  expect(commands.some((command) => command.includes(state))).toBe(true);
  expect(commands.filter((command) => command.includes(TOKEN))).toEqual([]);
  expect(log).not.toContain(TOKEN);
});

describe("what wrangler serves beside the labeler", () => {
  /** All that the pinned wrangler and its Miniflare know; none of it changes anything, and none shows a result. */
  const SERVED = [
    "/__cf_local/imagedelivery",
    "/__cf_local/imageupload",
    "/__cf_local/stream",
    "/cdn-cgi/explorer",
    "/cdn-cgi/handler",
    "/cdn-cgi/live-reload",
    "/cdn-cgi/local",
    "/cdn-cgi/local/email",
    "/cdn-cgi/local/explorer",
    "/cdn-cgi/local/platform-proxy",
    "/cdn-cgi/local/r2/public",
    "/cdn-cgi/local/r2/s3",
    "/cdn-cgi/local/scheduled",
    "/cdn-cgi/mf/imagedelivery",
    "/cdn-cgi/mf/scheduled",
    "/cdn-cgi/mf/stream",
  ];
  const SOURCES = ["miniflare/dist/src/workers/core/entry.worker.js", "wrangler/wrangler-dist/ProxyWorker.js"];
  const EXPLORER = "api/workers/durable_objects/namespaces/edge-labeler-Results/query";

  it("is all in this list", () => {
    const named = SOURCES.flatMap((file) => {
      const source = readFileSync(join("node_modules", file), "utf8");
      return [...source.matchAll(/"(\/(?:cdn-cgi|__cf_local)\/[\w/-]*\w)"/g)].map(([, path = ""]) => path);
    });
    expect([...new Set(named)].toSorted()).toEqual(SERVED);
  });

  it("shows and changes nothing without a token", async () => {
    expect((await post(`${url}/ekuiper/sink?id=shot-1`, coffee, headers)).status).toBe(204);
    const result = async () => (await fetch(`${url}/results/shot-1`, { headers })).text();
    const before = await result();
    expect(before).toContain("shot-1");
    const queries = ["SELECT * FROM results", "UPDATE results SET device = 'evil'", "DROP TABLE results"];
    const body = JSON.stringify({ durable_object_name: "results", queries: queries.map((sql) => ({ sql })) });
    const below = ["", "/scheduled", "/email?from=a@b.c&to=d@e.f", "/api/workers", `/${EXPLORER}`, "/results"];
    for (const path of [...SERVED, "/cdn-cgi/ProxyWorker/pause", "/__scheduled"].flatMap((path) =>
      below.map((rest) => path + rest),
    )) {
      for (const init of [{}, { method: "POST", body, headers: { "content-type": "application/json" } }]) {
        const response = await fetch(url + path, init);
        const text = await response.text();
        // 401 and 405 are the labeler's; 400, and 500 "exception", wrangler's, whose handlers have no Worker's to call.
        expect([400, 401, 404, 405, 500], `${path}: ${text}`).toContain(response.status);
        expect(text).not.toContain("shot-1");
      }
    }
    expect(await result()).toBe(before);
  });
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

describe("is refused", () => {
  /** Runs npm start's program until it ends. */
  const ended = (
    args: string[],
    env: Record<string, string | undefined> = {},
  ): Promise<{ code: number | null; err: string }> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, scriptArguments("start", args), {
        env: { ...process.env, LABELER_TOKEN: undefined, ...env },
      });
      let err = "";
      child.stderr.on("data", (data) => (err += data));
      child.on("close", (code) => resolve({ code, err }));
    });

  it.each([
    [["--ip", "0.0.0.0"], /npm run serve -- --ip 0\.0\.0\.0/],
    [["--ip=192.168.1.5"], /npm run serve -- --ip 192\.168\.1\.5/],
    [["--ip", "::"], /npm run serve/],
    [["--ip", "*"], /npm run serve/],
    [["--ip", "localhost", "--ip", "0.0.0.0"], /npm run serve/],
    [["--tunnel"], /npm run serve/],
    [["--inspector-ip", "0.0.0.0"], /inspector runs any code/],
    [["--inspectorIp=0.0.0.0"], /inspector runs any code/],
    [["--var", "LABELER_TOKEN:choose-one"], /LABELER_TOKEN is a secret: set it in the environment or in \.dev\.vars/],
    [["--var=LABELER_TOKENS:x"], /LABELER_TOKENS is a secret/],
    [["--var", "LOG:off", "PUSH_TOKEN:x"], /PUSH_TOKEN is a secret/],
    [["--var", "LOG:off", "FOO:1"], /There is no setting FOO\. There are: .*DEFAULT_MODEL/],
    [["--var=DEFAULT_MODEL"], /--var DEFAULT_MODEL: it is NAME:VALUE/],
    [["--port", "http"], /--port must be a whole number from 0 to 65535, not http\./],
    [["--inspectorPort=70000"], /--inspector-port must be a whole number from 0 to 65535, not 70000\./],
  ])("with %j", async (args, message) => {
    const { code, err } = await ended(args);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });

  it("with such an address in its configuration, or a token in a file of secrets that cannot be one", async () => {
    const folder = mkdtempSync(join(tmpdir(), "start-"));
    const [config, secrets] = [join(folder, "wrangler.toml"), join(folder, "secrets")];
    const toml = readFileSync("wrangler.toml", "utf8").replace('ip = "127.0.0.1"', 'ip = "0.0.0.0"');
    writeFileSync(config, toml);
    writeFileSync(secrets, 'LABELER_TOKENS=" "\n');
    try {
      expect(await ended(["--config", config])).toMatchObject({
        code: 2,
        err: expect.stringMatching(/npm run serve -- --ip 0\.0\.0\.0/),
      });
      expect(await ended(["--env-file", secrets])).toMatchObject({
        code: 2,
        err: expect.stringMatching(/LABELER_TOKENS: is set but has no token in it/),
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    [{ LABELER_TOKEN: "" }, /LABELER_TOKEN: is set but empty/],
    [{ LABELER_TOKEN: "s3cret\n" }, /LABELER_TOKEN: contains a blank or a line feed/],
    [{ LABELER_TOKENS: "" }, /LABELER_TOKENS: is set but has no token in it/],
    [{ LABELER_TOKENS: " , " }, /LABELER_TOKENS: is set but has no token in it/],
    [{ PUSH_TOKEN: "two words" }, /PUSH_TOKEN: contains a blank/],
  ])("with %j in its environment", async (env, message) => {
    const { code, err } = await ended([], env);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/s3cret|two words/);
    expect(code).toBe(2);
  });
});
