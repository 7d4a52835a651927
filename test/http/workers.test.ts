/** npm run serve --workers: processes that are killed, hang and are replaced under load, and limits that hold for all. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { BrokenUpload, ENDINGS, PHASES } from "./broken-upload.ts";
import { expectProblem, fixture, labelsOf, post } from "./client.ts";
import { parsePrometheus } from "./prometheus.ts";
import { hasEnded, headers, type Serve, shareServeFolders, startServe, workerdIn, workersIn } from "./serve-process.ts";
import { addTiny } from "./tiny-model.ts";

const { state, models } = shareServeFolders("workers");
const start = (args: string[] = []) => startServe({ state, models }, ["--workers", "2", ...args]);
const small = fixture("coffee-96.webp");

const distinct = (number: number) => new Uint8Array(Buffer.concat([small, Buffer.from(`#${number}`)]));

/** How long whatever has to happen may take on a busy machine, in milliseconds. */
const PATIENCE = 60_000;

/** How long calls may wait while the process with the results starts again, in milliseconds: longer where programs queue. */
const storeWait = () => 2000 * Math.max(1, loadavg()[0] / availableParallelism());

/** Waits until a process has ended. @returns A time after that. */
async function endOf(pid: number): Promise<number> {
  await expect.poll(() => hasEnded(pid), { timeout: PATIENCE, interval: 5 }).toBe(true);
  return performance.now();
}

/** A request of a client under load. */
interface Sent {
  readonly id: string;
  readonly begin: number;
  readonly end: number;
  /** 0 if there was no answer. */
  readonly status: number;
}

/** Ten clients that submit one image after the other, half of them with a connection for each. */
class Load {
  readonly sent: Sent[] = [];
  readonly #url: string;
  readonly #clients: Promise<void>[];
  #stopped = false;

  constructor({ url }: Serve) {
    this.#url = url;
    this.#clients = Array.from({ length: 10 }, (_, client) => this.#run(client));
  }

  async #run(client: number): Promise<void> {
    const more: Record<string, string> = client % 2 === 0 ? { connection: "close" } : {};
    for (let i = 0; !this.#stopped; i++) {
      const id = `${client}-${i}`;
      const begin = performance.now();
      const { status } = await post(`${this.#url}/ekuiper/sink?id=${id}`, small, { ...headers, ...more }).catch(() => ({
        status: 0,
      }));
      this.sent.push({ id, begin, end: performance.now(), status });
    }
  }

  get failed(): Sent[] {
    return this.sent.filter(({ status }) => status !== 204);
  }

  /** Waits until each client has sent this many more requests that were answered. */
  async more(count: number): Promise<void> {
    const before = this.sent.length - this.failed.length;
    await expect
      .poll(() => this.sent.length - this.failed.length - before, { timeout: PATIENCE })
      .toBeGreaterThan(10 * count);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }
}

const get = ({ url }: Serve, path: string) => fetch(`${url}${path}`, { headers });

async function storedIds(labeler: Serve): Promise<Set<string>> {
  const ids = new Set<string>();
  for (let since = "r0"; ; ) {
    const rows: { id: string; next: string }[] = await (
      await get(labeler, `/results?limit=1000&since=${since}`)
    ).json();
    if (rows.length === 0) return ids;
    for (const { id } of rows) ids.add(id);
    since = rows.at(-1)?.next ?? since;
  }
}

/** The folders in which a labeler has its sockets. */
const socketFolders = ({ process }: Serve): string[] =>
  readdirSync(tmpdir()).filter((name) => {
    if (!/^edge-labeler-\w{6}$/.test(name)) return false;
    try {
      return JSON.parse(readFileSync(join(tmpdir(), name, "holder"), "utf8")).pid === process.pid;
    } catch {
      return false; // another labeler's
    }
  });

/** How long other threads of a process that has ended may keep its socket open, in milliseconds. */
const LAST_THREADS = 250;

/** What is held while a request is worked on. */
const HELD = [
  { name: "edge_labeler_slots_in_use" },
  { name: "edge_labeler_slots_waiting" },
  { name: "edge_labeler_body_bytes_in_memory" },
];
const LABELS = [{ name: "edge_labeler_requests_total", route: "/label" }];

/** The values of metrics, summed over their series. */
async function valuesOf(labeler: Serve, wanted: readonly { name: string; route?: string }[]): Promise<number[]> {
  const response = await get(labeler, "/metrics");
  const text = await response.text();
  expect(response.status, text).toBe(200);
  const samples = parsePrometheus(text);
  return wanted.map(({ name, route }) =>
    samples
      .filter((sample) => sample.name === name && (route === undefined || sample.labels.route === route))
      .reduce((sum, { value }) => sum + value, 0),
  );
}

it("loses nothing that it acknowledged, and fails no request but those in flight on a process that is killed", async () => {
  const labeler = await start(["--watchdog", "3"]);
  const load = new Load(labeler);
  await load.more(2);
  expect(load.failed).toEqual([]);

  // A worker is killed. Until it has ended, it may still be given requests.
  const [first] = workersIn(state);
  const killed = performance.now();
  process.kill(first, "SIGKILL");
  const dead = await endOf(first);
  await load.more(2);
  await expect.poll(labeler.log, { timeout: PATIENCE }).toMatch(/Worker \d ended \(SIGKILL\)/);
  for (const { begin, end, status } of load.failed) {
    expect(begin).toBeLessThan(dead + LAST_THREADS);
    expect(end).toBeGreaterThan(killed);
    expect(status).toBe(503);
  }
  await expect.poll(() => workersIn(state).filter((pid) => !hasEnded(pid)).length, { timeout: PATIENCE }).toBe(2);

  // The process with the results is killed: its calls wait for the next one.
  const beforeStore = load.failed.length;
  const store = workerdIn(state);
  const storeKilled = performance.now();
  process.kill(store, "SIGKILL");
  const storeDead = await endOf(store);
  await load.more(2);
  expect(workerdIn(state)).not.toBe(store);
  expect(load.failed.length).toBe(beforeStore);
  const waited = load.sent.filter(({ begin, end }) => begin < storeDead && end > storeKilled);
  const longestWait = Math.max(...waited.map(({ begin, end }) => end - Math.max(begin, storeKilled)));
  expect(longestWait).toBeLessThan(storeWait());

  // A model changes: all workers take it over.
  addTiny(models, "tiny", { labels: "one\ntwo\nthree\nfour\n" });
  const namesSeen = async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => post(`${labeler.url}/label?top=1`, distinct(i), headers).then(labelsOf)),
    );
    return answers.every(([{ label }]) => ["one", "two", "three", "four"].includes(label));
  };
  await expect.poll(namesSeen, { timeout: PATIENCE }).toBe(true);
  expect(load.failed.length).toBe(beforeStore);

  // The settings are read again: each process is replaced, and no request fails.
  const old = [workerdIn(state), ...workersIn(state)];
  labeler.process.kill("SIGUSR2");
  await expect.poll(() => old.filter(hasEnded).length, { timeout: PATIENCE }).toBe(3);
  await load.more(2);
  expect(load.failed.length).toBe(beforeStore);

  // A worker hangs: what it has been given fails when it is killed, and all else goes on.
  const [hung] = workersIn(state);
  process.kill(hung, "SIGSTOP");
  const hangs = performance.now();
  await expect.poll(labeler.log, { timeout: PATIENCE }).toMatch(/Worker \d has not answered for 3 s: it is killed/);
  const hungDead = await endOf(hung);
  expect(load.sent.filter(({ begin, status }) => begin > hangs && status === 204).length).toBeGreaterThan(10);
  await load.more(2);
  await load.stop();
  const late = load.failed.slice(beforeStore);
  for (const { begin } of late) expect(begin).toBeLessThan(hungDead + LAST_THREADS);
  // Each client waits for one answer, so it has given the worker one request before that was found to hang.
  expect(late.length).toBeLessThanOrEqual(10);

  const stored = await storedIds(labeler);
  const acknowledged = load.sent.filter(({ status }) => status === 204).map(({ id }) => id);
  expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
  const longest = Math.max(...load.sent.filter(({ status }) => status === 204).map(({ begin, end }) => end - begin));
  console.log(
    `${load.sent.length} requests, ${load.failed.length} failed; the longest of the others took ${longest.toFixed(0)} ms, ` +
      `that beside a restart of the store waited ${longestWait.toFixed(0)} ms`,
  );
  labeler.process.kill("SIGTERM");
  expect(await labeler.ended).toBe(0);
}, 240_000);

it("keeps limits and metrics for all workers together, frees what clients held that have gone, and hides its sockets", async () => {
  const settings = {
    MAX_FORM_BYTES: "200000",
    MAX_WAIT_MS: "400",
    MAX_CONCURRENT: "2",
    RATE_LIMIT: "100/h burst 100",
    ANONYMOUS_LABEL: "true",
  };
  const labeler = await start(Object.entries(settings).flatMap(([name, value]) => ["--var", `${name}:${value}`]));
  const { url } = labeler;

  const [folder] = socketFolders(labeler);
  const paths = ["", ...readdirSync(join(tmpdir(), folder))].map((name) => join(tmpdir(), folder, name));
  expect(paths.map((path) => statSync(path).mode & 0o777)).toEqual([0o700, ...Array(7).fill(0o600)]);

  // Two forms at two workers: each fits alone, and both together do not.
  const head = '--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n';
  const end = "\r\n--b--\r\n";
  const form = Buffer.concat([Buffer.from(`${head}x\r\n${head}`), Buffer.alloc(150_000), Buffer.from(end)]);
  const multipart = { ...headers, "content-type": "multipart/form-data; boundary=b" };
  const body = { name: "form", bytes: form, headers: multipart, chunked: false };
  const holder = await BrokenUpload.send(url, "/label", body, { name: "most", until: (size) => size - 1000 });
  await expect.poll(() => valuesOf(labeler, HELD), { interval: 200 }).not.toEqual([0, 0, 0]);
  const refused = await post(`${url}/label`, form, multipart);
  await expectProblem(refused, 503, "busy", /All memory for forms and JSON was taken/);
  holder.break("reset");
  await expect.poll(async () => (await post(`${url}/label`, form, multipart)).status, { interval: 200 }).toBe(200);

  const image = { name: "PNG", bytes: fixture("coffee.png"), headers, chunked: false };
  for (const ending of ENDINGS) {
    const uploads = PHASES.map((phase) => BrokenUpload.send(url, "/label", image, phase));
    for (const upload of await Promise.all(uploads)) upload.break(ending);
  }
  await expect.poll(() => valuesOf(labeler, HELD), { interval: 300, timeout: 5000 }).toEqual([0, 0, 0]);

  // Also while they wait for a slot, of which each worker has one: what has come of their bodies is not being read.
  const chunks = { ...image, chunked: true };
  const waiting = await Promise.all(
    Array.from({ length: 8 }, () => BrokenUpload.send(url, "/label", chunks, PHASES[2])),
  );
  for (const upload of waiting) upload.break("reset");
  await expect.poll(() => valuesOf(labeler, HELD), { interval: 300, timeout: 3000 }).toEqual([0, 0, 0]);

  // By the address that a client has, and not the one that it sends.
  const [counted] = await valuesOf(labeler, LABELS);
  const calls = Array.from({ length: 150 }, (_, i) =>
    post(`${url}/label`, small, { "x-edge-labeler-peer": `{"clientIp":"10.0.0.${i}:1"}` }),
  );
  const statuses = (await Promise.all(calls)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(100);
  expect(statuses.filter((status) => status === 429)).toHaveLength(50);
  expect(await valuesOf(labeler, LABELS)).toEqual([counted + 150]);
  const [killed] = workersIn(state);
  process.kill(killed, "SIGKILL");
  await expect.poll(() => workersIn(state).includes(killed), { timeout: 10_000 }).toBe(false);
  expect(await valuesOf(labeler, LABELS)).toEqual([counted + 150]);

  // Results are erased in another process.
  const submitted = Array.from({ length: 40 }, (_, i) =>
    post(`${url}/ekuiper/sink?id=erase-${i}&device=${i % 2 === 0 ? "even" : "odd"}`, "no image", headers),
  );
  for (const { status } of await Promise.all(submitted)) expect(status).toBe(204);
  const erased = await fetch(`${url}/results?device=even`, { method: "DELETE", headers });
  expect([erased.status, await erased.json()]).toEqual([200, { erased: 20 }]);
  const left = [...(await storedIds(labeler))].filter((id) => id.startsWith("erase-"));
  expect(left.filter((id) => Number(id.slice(6)) % 2 === 1)).toHaveLength(20);
  expect(left).toHaveLength(20);
  await expect.poll(labeler.log).toMatch(/"erased":\{"device":"even","count":20\}/);

  // A killed labeler leaves its sockets, which the next one removes.
  labeler.process.kill("SIGKILL");
  await labeler.ended;
  const next = await start();
  expect(readdirSync(tmpdir())).not.toContain(folder);
  next.process.kill("SIGTERM");
  expect(await next.ended).toBe(0);
  expect(socketFolders(next)).toEqual([]);
}, 240_000);
