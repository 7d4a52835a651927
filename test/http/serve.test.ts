/** `npm run serve`: a self-hosted labeler that is killed, hangs, is asked to end, and keeps its results. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, it } from "vitest";
import { readArguments } from "../../scripts/command-line/command.ts";
import { anonymousMB } from "../../scripts/system/processes.ts";
import { serveCommand, serveOptions } from "../../scripts/user/serve/options.ts";
import { fixture, labelsOf, post } from "./client.ts";
import {
  BY_NPM,
  DIRECT,
  hasEnded,
  headers,
  type Serve,
  shareServeFolders,
  spawnServe,
  startServe,
  workerdIn,
} from "./serve-process.ts";
import { addTiny } from "./tiny-model.ts";

const coffee = fixture("coffee.png");

const { state, models } = shareServeFolders("serve");

const spawned = (args: string[]) => spawnServe({ state, models }, args);
const serve = (args: string[] = [], command = DIRECT) => startServe({ state, models }, args, command);
const workerd = () => workerdIn(state);
const ids = async ({ url }: Serve): Promise<string[] | undefined> => {
  const response = await fetch(`${url}/results`, { headers }).catch(() => undefined);
  return response?.ok ? ((await response.json()) as { id: string }[]).map(({ id }) => id) : undefined;
};

it("keeps results over workerd's death, its own, and an orderly end; and its folder from a second one", async () => {
  const first = await serve();
  expect((await post(`${first.url}/ekuiper/sink?id=a`, coffee, headers)).status).toBe(204);
  expect((await fetch(`${first.url}/results`)).status).toBe(401);

  const second = await spawned([]);
  expect(await second.ended).toBe(1);
  expect(second.log()).toMatch(/state folder .* is in use by process \d+/);

  process.kill(workerd(), "SIGKILL");
  await expect.poll(first.log).toMatch(/(workerd|The process with the results) ended \(SIGKILL\)/);
  await expect.poll(() => ids(first)).toEqual(["a"]);

  const orphan = workerd();
  first.process.kill("SIGKILL");
  await first.ended;
  const third = await serve([], BY_NPM);
  expect([first.log(), third.log()].map((log) => /Bundling/.test(log))).toEqual([true, false]);
  expect(await ids(third)).toEqual(["a"]);
  expect(hasEnded(orphan)).toBe(true);

  third.process.kill("SIGTERM");
  await third.ended;
  const answers = () =>
    fetch(`${third.url}/healthz`).then(
      () => true,
      () => false,
    );
  await expect.poll(answers).toBe(false);
  const fourth = await serve(); // the folder is free
  expect(await ids(fourth)).toEqual(["a"]);
});

it.each([1, 2])("loads the default model in each of %i workers before anybody asks", async (workers) => {
  const labeler = await serve(["--workers", `${workers}`]);
  const loads = async () => {
    const metrics = await (await fetch(`${labeler.url}/metrics`, { headers })).text();
    return metrics.match(/^edge_labeler_model_loads_total\{.*outcome="loaded"\} (\d+)$/m)?.[1];
  };
  await expect.poll(loads).toBe(`${workers}`);
  // 28 MB; Node's own fetch() alone would take as much again.
  if (process.platform === "linux") expect(anonymousMB(labeler.process.pid ?? 0)).toBeLessThan(45);
  labeler.process.kill("SIGTERM");
  await labeler.ended;
});

it("has a new model and one that changed at once, and starts anew where workerd falls silent", async () => {
  const labeler = await serve(["--watchdog", "3"]);
  const label = async (model: string) => {
    const response = await post(`${labeler.url}/label?model=${model}`, coffee, headers).catch(() => undefined);
    return response?.ok ? (await labelsOf(response)).map(({ label }) => label).sort() : undefined;
  };
  const first = workerd();
  expect(await label("late")).toBeUndefined();
  addTiny(models, "late");
  await expect.poll(() => label("late")).toEqual(["blue", "green", "grey", "red"]);
  await new Promise((wake) => setTimeout(wake, 700)); // the new folder was noted
  expect(workerd()).toBe(first);
  addTiny(models, "late", { labels: "one\ntwo\nthree\nfour\n" });
  await expect.poll(() => label("late")).toEqual(["four", "one", "three", "two"]);
  expect(labeler.log()).toMatch(/Changed: late/);
  expect(workerd()).toBe(first);
  expect(labeler.log()).not.toMatch(/workerd ended/);

  const second = workerd();
  process.kill(second, "SIGSTOP");
  await expect.poll(labeler.log, { timeout: 15_000 }).toMatch(/has not answered for 3 s: it is killed/);
  await expect.poll(() => ids(labeler)).toBeDefined();
  expect(workerd()).not.toBe(second);

  // Asked to end, it answers what it has begun.
  const socket = connect(Number(new URL(labeler.url).port), "127.0.0.1");
  const length = `Content-Length: ${coffee.length}`;
  const head = [
    "POST /label?model=tiny HTTP/1.1",
    "Host: x",
    `Authorization: ${headers.authorization}`,
    length,
    "",
    "",
  ];
  socket.write(head.join("\r\n"));
  socket.write(coffee.subarray(0, 1000));
  await new Promise((wake) => setTimeout(wake, 300));
  labeler.process.kill("SIGTERM");
  await expect.poll(labeler.log).toMatch(/SIGTERM: requests may end for 5 s/);
  await new Promise((wake) => setTimeout(wake, 300));
  socket.write(coffee.subarray(1000));
  let answer = "";
  for await (const data of socket) answer += data;
  expect(answer).toMatch(/^HTTP\/1.1 200 .*"label":"red"/s);
  expect(await labeler.ended).toBe(0);
});

const options = (args: string[]) => serveOptions(readArguments(serveCommand("npm run serve -- "), args).values);

it("ends with a message at what is wrong with its options", async () => {
  const cases: [args: string[], code: number, message: RegExp][] = [
    [["--ip", "192.0.2.1"], 1, /^listen EADDRNOTAVAIL.*192\.0\.2\.1:\d+\. Choose another --port or --ip\.\n$/],
    [
      ["--ip", "[::1]"],
      1,
      /^\[::1\] is neither an address, such as .* or ::1, nor .* Choose another --port or --ip\.\n$/,
    ],
    [["--var", "LABELER_TOKEN:x"], 2, /set it in the environment.* Help: npm run serve -- --help\n$/s],
    [["--var", "DEFAULT_MODLE:x"], 2, /There is no setting DEFAULT_MODLE\. There are: .*DEFAULT_MODEL/],
    [["--models", "/nosuch"], 2, /There is no folder of models \/nosuch\. Make it: mkdir -p \/nosuch/],
    [["--var", "RESULTS_MAX_COUNT:many"], 2, /RESULTS_MAX_COUNT: must be a whole number/],
  ];
  for (const [args, code, message] of cases) {
    const labeler = await spawned(args);
    const ended = await labeler.ended;
    expect(ended, `${args.join(" ")}: ${labeler.log()}`).toBe(code);
    expect(labeler.log()).toMatch(message);
  }
});

it("starts without its default model, which may be added later, and says so", async () => {
  const labeler = await serve(["--var", "DEFAULT_MODEL:nosuch"]);
  await expect
    .poll(labeler.log)
    .toMatch(/The default model nosuch is not installed; there are .*\btiny\b.*DEFAULT_MODEL:/);
});

it("does not start where another program listens", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const labeler = await spawned(["--port", String(port)]);
  expect(await labeler.ended).toBe(1);
  expect(labeler.log()).toBe(
    `listen EADDRINUSE: address already in use 127.0.0.1:${port}. Choose another --port or --ip.\n`,
  );
  other.close();
});

it.each([
  [["--prot", "80"], /--prot/],
  [["--port", "80.5"], /whole number/],
  [["--port", "70000"], /--port must be a number above 0 and at most 65535/],
  [["--var", "PUSH_TOKEN:x"], /PUSH_TOKEN is a secret: set it in the environment/],
  [["--var", "DEFAULT_MODEL"], /NAME:VALUE/],
])("refuses the options %j", (args, message) => {
  expect(() => options(args)).toThrow(message);
});

it("takes settings with colons in their values", () => {
  const taken = options(["--var", "PUSH_TARGETS:http://10.0.0.1:10081/labels", "--var", "RATE_LIMIT:", "--drain", "1"]);
  expect(taken).toMatchObject({ port: 8787, ip: "127.0.0.1", state: "state", drain: 1000, watchdog: 30_000 });
  expect(taken.settings).toEqual({ PUSH_TARGETS: "http://10.0.0.1:10081/labels", RATE_LIMIT: "" });
});
