/** `npm run serve` with faults of the machine: locks, folders, disks, descriptors, databases, and its own end. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { expectProblem, fixture, labelsOf, post } from "./client.ts";
import { makeReadOnly, mountSmall, unmountAll } from "./mounted.ts";
import {
  DIRECT,
  endServes,
  hasEnded,
  headers,
  type Serve,
  shareServeFolders,
  spawnServe,
  startServe,
  workerdIn,
} from "./serve-process.ts";
import { addTiny } from "./tiny-model.ts";

const { folder, state, models } = shareServeFolders("faults");
const results = join(state, "results");
// What makes one labeler differ from the next is removed in between.
afterEach(async () => {
  await endServes();
  unmountAll();
  for (const left of [results, join(state, "lock")]) rmSync(left, { recursive: true, force: true });
});

const start = (args: string[] = []) => startServe({ state, models }, args);
const spawned = (args: string[] = []) => spawnServe({ state, models }, args);
const sink = ({ url }: Serve, id: string) => post(`${url}/ekuiper/sink?id=${id}`, "no image", headers);
const get = ({ url }: Serve, path: string) => fetch(`${url}${path}`, { headers });

/** What a labeler says that cannot start: a sentence or two, without a stack trace. */
async function refusal(labeler: Serve): Promise<string> {
  expect(await labeler.ended, labeler.log()).toBe(1);
  expect(labeler.log()).not.toMatch(/^\s+at /m);
  return labeler.log().replace("Bundling the Worker …\n", "");
}

/** Leaves no space in a small file system. */
const fill = (disk: string) => execFileSync("sh", ["-c", `dd if=/dev/zero of=${disk}/fill bs=1k 2>/dev/null || true`]);

const isRoot = process.getuid?.() === 0;
const installed = (program: string) => spawnSync(program, ["--version"]).status === 0;

it.each(["5", "10", "31"])("watches at intervals that are no whole milliseconds: --watchdog %s", async (seconds) => {
  const labeler = await start(["--watchdog", seconds]);
  await new Promise((wake) => setTimeout(wake, 500));
  expect(labeler.process.exitCode).toBeNull();
  expect((await get(labeler, "/healthz")).status).toBe(200);
});

it("ends workerd with itself, however it ends", async () => {
  const labeler = await start();
  const workerd = workerdIn(state);
  labeler.process.kill("SIGKILL");
  await labeler.ended;
  if (installed("setpriv")) await expect.poll(() => hasEnded(workerd)).toBe(true);
  const next = await start();
  expect(hasEnded(workerd)).toBe(true);
  const last = workerdIn(state);
  next.process.kill("SIGTERM");
  expect(await next.ended).toBe(0);
  expect(hasEnded(last)).toBe(true);
});

it("ends workerd and frees its folder when it fails itself", async () => {
  const bug = `data:text/javascript,process.on("SIGUSR2", () => { throw new Error("a bug") })`;
  const [node, ...args] = DIRECT;
  const labeler = await startServe({ state, models }, [], [node, "--import", bug, ...args]);
  const workerd = workerdIn(state);
  labeler.process.kill("SIGUSR2");
  expect(await labeler.ended).toBe(1);
  expect(labeler.log()).toMatch(/Error: a bug/);
  await expect.poll(() => hasEnded(workerd)).toBe(true);
  await start();
});

it("finds and ends the workerd of a killed labeler where setpriv is not installed", async () => {
  const programs = join(folder, "programs");
  mkdirSync(programs);
  for (const name of ["flock", "sh", "node"]) {
    execFileSync("ln", [
      "-s",
      name === "node" ? process.execPath : execFileSync("which", [name], { encoding: "utf8" }).trim(),
      join(programs, name),
    ]);
  }
  // With several workers, the process that is killed is the one that listens.
  const labeler = await startServe({ state, models }, ["--workers", "1"], DIRECT, { PATH: programs });
  const workerd = workerdIn(state);
  labeler.process.kill("SIGKILL");
  await labeler.ended;
  expect(hasEnded(workerd)).toBe(false);
  expect((await get(labeler, "/healthz")).status).toBe(200);
  await start();
  expect(hasEnded(workerd)).toBe(true);
});

it("guards its folder by process ids, and says so, where flock is not installed", async () => {
  const programs = join(folder, "nothing");
  mkdirSync(programs);
  const env = { PATH: programs };
  const first = await startServe({ state, models }, [], DIRECT, env);
  expect(first.log()).toMatch(/flock\(1\) is not installed.*Let only one labeler use it\./);
  const second = await spawnServe({ state, models }, [], DIRECT, env);
  expect(await refusal(second)).toMatch(/in use by process \d+/);
  expect(await refusal(await spawned())).toMatch(/in use by process \d+/);
  first.process.kill("SIGKILL");
  await first.ended;
  await startServe({ state, models }, [], DIRECT, env);
});

it.each([
  ["is empty", ""],
  ["is garbage", "\0\0\0{"],
  ["is {}", "{}"],
  ["is a list", "[]"],
  [
    "is of a former release that was killed",
    '{"owner":{"pid":999999,"began":"1"},"workerd":{"pid":999998,"began":"1"}}',
  ],
])("starts where the lock file %s", async (_, contents) => {
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, "lock"), contents);
  const labeler = await start();
  expect((await sink(labeler, "a")).status).toBe(204);
});

it("respects the lock of a former release that runs", async () => {
  mkdirSync(state, { recursive: true });
  const fields = readFileSync(`/proc/${process.pid}/stat`, "utf8").split(") ")[1].split(" ");
  writeFileSync(join(state, "lock"), JSON.stringify({ owner: { pid: process.pid, began: fields[19] } }));
  expect(await refusal(await spawned())).toMatch(new RegExp(`in use by process ${process.pid}\\.`));
});

it.skipIf(!isRoot && !process.env.CI)("keeps its folder from a labeler in another container", async () => {
  const labeler = await start();
  const container = ["unshare", "-p", "-f", "--mount-proc", ...DIRECT];
  const second = await spawnServe({ state, models }, [], container);
  expect(await refusal(second)).toMatch(/in use by a labeler in another container or on another machine/);
  expect((await sink(labeler, "a")).status).toBe(204);
});

it("says in a sentence that its folder is a file, read-only, or full", async () => {
  const other = join(folder, "other");
  const spawnOther = () => spawnServe({ state: other, models });
  writeFileSync(other, "");
  expect(await refusal(await spawnOther())).toBe(
    `${other}/results is, or is below, a file, and has to be a folder. Name another folder with --state.\n`,
  );
  rmSync(other);
  if (!mountSmall(other)) return;
  fill(other);
  expect(await refusal(await spawnOther())).toMatch(/^There is no space left for \/.*\. Free some\. .*\n$/);
  makeReadOnly(other);
  expect(await refusal(await spawnOther())).toBe(
    `${other}/lock is on a read-only file system. Name another folder with --state.\n`,
  );
});

it("leaves a folder alone that is not a labeler's, and has a folder worker", async () => {
  const foreign = join(folder, "foreign");
  const file = join(foreign, "worker", "index.ts");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "precious");
  expect(await refusal(await spawnServe({ state: foreign, models }))).toBe(
    `${foreign} is not a labeler's folder: it has a folder worker with other files, which would be replaced. ` +
      `Name another folder with --state, or remove ${foreign}/worker.\n`,
  );
  expect(readFileSync(file, "utf8")).toBe("precious");
  expect(readdirSync(foreign)).toEqual(["worker"]);
});

it("runs with a read-only folder of models, and keeps their index with its state", async () => {
  const readOnly = join(folder, "read-only");
  if (!mountSmall(readOnly)) return;
  addTiny(readOnly, "tiny");
  makeReadOnly(readOnly);
  const labeler = await startServe({ state, models: readOnly });
  expect(existsSync(join(readOnly, "index.json"))).toBe(false);
  const found: { name: string }[] = await (await get(labeler, "/models")).json();
  expect(found.map(({ name }) => name)).toEqual(["tiny"]);
  const labels = await labelsOf(await post(`${labeler.url}/label?top=1`, fixture("coffee.png"), headers));
  expect(labels).toMatchObject([{ label: "red" }]);
});

it("says that there is no space, keeps what it acknowledged, and goes on when there is", async () => {
  if (!mountSmall(results)) return;
  const labeler = await start();
  expect((await sink(labeler, "a")).status).toBe(204);
  expect((await get(labeler, "/readyz")).status).toBe(200);
  fill(results);
  const full = await sink(labeler, "b");
  expect([full.status, full.headers.get("retry-after")]).toEqual([507, "30"]);
  expect(await full.json()).toMatchObject({
    type: "urn:edge-labeler:problem:storage-full",
    detail: "Nothing was written, since the disk or the database is full. Free some space, or lower RESULTS_MAX_COUNT.",
  });
  await expectProblem(await get(labeler, "/readyz"), 507, "storage-full", /disk/);
  expect((await get(labeler, "/v2/health/ready")).status).toBe(200);
  expect((await post(`${labeler.url}/label`, fixture("coffee.png"), headers)).status).toBe(200);
  expect((await (await get(labeler, "/results")).json()).map(({ id }: { id: string }) => id)).toEqual(["a"]);
  rmSync(join(results, "fill"));
  expect((await sink(labeler, "b")).status).toBe(204);
  expect((await get(labeler, "/readyz")).status).toBe(200);
});

/** The file with the results. */
function database(): string {
  const names = readdirSync(results, { recursive: true }) as string[];
  const name = names.find((file) => file.endsWith(".sqlite") && !file.endsWith("metadata.sqlite"));
  return join(results, name ?? "none");
}

it.each([
  ["is something else", (file: string) => writeFileSync(file, "garbage ".repeat(3000))],
  ["has lost its end", (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 5000))],
])("says that the database is damaged where it %s, names the folder, and labels", async (_, damage) => {
  const first = await start();
  expect((await sink(first, "a")).status).toBe(204);
  first.process.kill("SIGTERM");
  await first.ended;
  const file = database();
  for (const suffix of ["-wal", "-shm"]) rmSync(file + suffix, { force: true });
  damage(file);
  const labeler = await start();
  await expectProblem(await get(labeler, "/results"), 503, "storage-broken", /cannot be opened; the labeler's log/);
  await expectProblem(await get(labeler, "/readyz"), 503, "storage-broken", /Images are labelled as before/);
  expect((await sink(labeler, "b")).status).toBe(503);
  expect((await post(`${labeler.url}/label`, fixture("coffee.png"), headers)).status).toBe(200);
  await expect.poll(labeler.log).toContain(`The database of the results in ${results} is damaged.`);
  expect(await (await get(labeler, "/v2/health/ready")).json()).toEqual({ ready: true });
});

it("starts again where its results were removed while it runs, and says so", async () => {
  const labeler = await start(["--watchdog", "3"]);
  expect((await sink(labeler, "a")).status).toBe(204);
  await new Promise((wake) => setTimeout(wake, 1500)); // it has looked at them
  rmSync(dirname(database()), { recursive: true });
  await expect.poll(labeler.log).toMatch(/The results in .* were removed or replaced\. The .* starts again\./);
  await expect
    .poll(() =>
      sink(labeler, "b").then(
        ({ status }) => status,
        () => 0,
      ),
    )
    .toBe(204);
  await expect.poll(() => existsSync(database())).toBe(true);
});

it("names exhausted descriptors, and starts again", async () => {
  // Each connection takes two: at one of two limits that differ by one it is workerd's accept() that fails.
  let seen = "";
  for (const limit of [256, 257]) {
    const limited = ["sh", "-c", `ulimit -n ${limit}; exec "$@"`, "sh", ...DIRECT];
    // Several workers have a dispatcher in front, whose descriptors idle connections take.
    const labeler = await startServe({ state, models }, ["--watchdog", "3", "--workers", "1"], limited);
    const { port } = new URL(labeler.url);
    const idle: Socket[] = [];
    for (let i = 0; i < 300; i++) idle.push(connect(Number(port), "127.0.0.1").on("error", () => undefined));
    await expect.poll(labeler.log).toMatch(/workerd ended|it is killed/);
    for (const socket of idle) socket.destroy();
    await expect
      .poll(() =>
        get(labeler, "/healthz").then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200);
    seen += labeler.log();
    await endServes();
  }
  expect(seen).toMatch(/workerd ended \(.*\)\. It had no file descriptors left, .*LimitNOFILE.* started again in/);
});

it("gives workerd as many descriptors as the system allows", async () => {
  const limited = ["sh", "-c", `ulimit -Sn 200; exec "$@"`, "sh", ...DIRECT];
  await startServe({ state, models }, [], limited);
  const [, soft, hard] =
    /Max open files\s+(\d+)\s+(\d+)/.exec(readFileSync(`/proc/${workerdIn(state)}/limits`, "utf8")) ?? [];
  expect(soft).toBe(hard);
});
