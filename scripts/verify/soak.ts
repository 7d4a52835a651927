/**
 * `npm run soak`: `npm run serve` under mixed load, some of it hostile, while workerd is killed every minute; and
 * beside it a labeler that is not killed. Nothing that was acknowledged may be lost or duplicated, no valid call may
 * fail, and memory and descriptors must not grow. Linux only: it reads /proc.
 */
import { randomInt } from "node:crypto";
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { countIn, runCommand } from "../command-line/command.ts";
import { Soak } from "./soak/client.ts";
import { readPictures } from "./soak/pictures.ts";
import { Random } from "./soak/random.ts";
import { Served } from "./soak/served.ts";
import { Steady } from "./soak/steady.ts";
import { compareStored, readStored } from "./soak/stored.ts";

/** The number of clients of each of the two labelers. */
const CLIENTS_EACH = 3;
/**
 * The time from the first call to the first kill, and from the first answer of the new workerd to the next kill, in
 * milliseconds.
 */
const [FIRST_KILL, KILL_EVERY] = [30_000, 61_000];
/** How many more descriptors each idle workerd may have than before: files of the results, connections of probes. */
const SPARE_DESCRIPTORS = 16;
/** The time after which idle connections are closed, in milliseconds. */
const IDLE_WITHIN = 15_000;
const SHOWN_FAULTS = 20;

const usage = `npm run soak -- [options]: a labeler of npm run serve under mixed and hostile load, while workerd is killed every minute

  --minutes N       how long (10)
  --seed N          the calls of an earlier soak; another one each time unless set
  --workers N       how many workers the labeler has whose processes are killed by turns (1)

It exits with 1 if something acknowledged is lost or duplicated, a valid call fails, or memory or descriptors grow.`;

const options = {
  minutes: { type: "string", default: "10" },
  seed: { type: "string" },
  workers: { type: "string", default: "1" },
} as const;

/** How many descriptors the processes of workerd have. */
const descriptors = ({ workerds }: Served) =>
  workerds.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0);

/** Detects a process that ends without having been killed. */
class Watch {
  readonly faults: string[] = [];
  #pids = "";
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(readonly served: Served) {}

  /** Called when a new process answers. */
  begin(): void {
    this.#pids = `${this.served.workerds}`;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      if (`${this.served.workerds}` === this.#pids) return;
      this.faults.push(`workerd (process ${this.#pids}) has ended by itself:\n${this.served.log.slice(-2000)}`);
      this.begin();
    }, 1000);
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

/** Kills workerd every minute until the time is over. @returns The milliseconds after which it answered each time. */
async function killEveryMinute(served: Served, watch: Watch, until: number): Promise<number[]> {
  const times: number[] = [];
  for (let next = performance.now() + FIRST_KILL; next < until; next = performance.now() + KILL_EVERY) {
    await sleep(next - performance.now());
    watch.end();
    times.push(await served.killWorkerd());
    watch.begin();
  }
  await sleep(until - performance.now());
  return times;
}

/** Waits until an idle workerd has at most that many descriptors. @returns Their number. */
async function settledDescriptors(served: Served, most: number): Promise<number> {
  const end = performance.now() + IDLE_WITHIN;
  while (descriptors(served) > most && performance.now() < end) await sleep(200);
  return descriptors(served);
}

/** The numbers of calls by kind, and then by status. */
function seenBy(soaks: readonly Soak[]): [kind: string, statuses: Map<string, number>][] {
  const all = new Map<string, Map<string, number>>();
  for (const [kind, statuses] of soaks.flatMap((soak) => [...soak.seen])) {
    const sum = all.get(kind) ?? new Map<string, number>();
    for (const [status, count] of statuses) sum.set(status, (sum.get(status) ?? 0) + count);
    all.set(kind, sum);
  }
  return [...all].sort(([a], [b]) => a.localeCompare(b));
}

const row = (name: string, value: string) => console.log(`| ${name} | ${value} |`);

await runCommand({ usage, options }, async (values) => {
  const minutes = countIn("minutes", values.minutes);
  const seed = values.seed === undefined ? randomInt(1, 1_000_000) : countIn("seed", values.seed);
  const workers = countIn("workers", values.workers);
  console.log(`npm run soak -- --minutes ${minutes} --seed ${seed} --workers ${workers}`);
  const [served, steady] = [await Served.start(workers), await Steady.start()];
  try {
    const pictures = readPictures();
    const soaks = [new Soak(served, pictures, seed), new Soak(steady, pictures, seed)];
    const watch = new Watch(served);
    for (const soak of soaks) await soak.learnLabels();
    const idle = descriptors(served);

    const until = performance.now() + minutes * 60_000;
    const random = new Random(seed);
    let over = false;
    const running = () => performance.now() < until && !over;
    watch.begin();
    steady.watch();
    const clients = soaks.flatMap((soak) =>
      Array.from({ length: CLIENTS_EACH }, () => soak.client(random.fork(), running)),
    );
    const kills = await killEveryMinute(served, watch, until).finally(() => {
      over = true;
    });
    watch.end();
    await Promise.all(clients);

    const memory = await steady.judge();
    const faults = [...soaks.flatMap((soak) => soak.faults), ...watch.faults, ...memory.faults];
    const most = idle + SPARE_DESCRIPTORS * served.workerds.length;
    const left = await settledDescriptors(served, most);
    if (left > most) faults.push(`workerd has ${left} descriptors; it had ${idle} at first`);
    let [acknowledged, stored] = [0, 0];
    for (const soak of soaks) {
      const found = await readStored(soak.labeler.url);
      faults.push(...compareStored(soak.acknowledged, found));
      acknowledged += soak.acknowledged.size;
      stored += found.length;
    }
    const code = await served.stop();
    if (code !== 0) faults.push(`the labeler was asked to end: ${code === undefined ? "it did not" : `code ${code}`}`);

    console.log("| call | answers |\n|---|---|");
    for (const [kind, statuses] of seenBy(soaks)) {
      row(kind, [...statuses].map(([status, count]) => `${count} × ${status}`).join(", "));
    }
    row("acknowledged, rows stored", `${acknowledged}, ${stored}`);
    row("workerd killed, back after", kills.map((ms) => `${(ms / 1000).toFixed(1)} s`).join(", "));
    row("its descriptors, idle", `${idle} at first, ${left} at the end`);
    for (const [name, value] of memory.rows) row(name, value);
    for (const fault of faults.slice(0, SHOWN_FAULTS)) console.log(`FAULT ${fault}`);
    console.log(faults.length === 0 ? "No faults." : `${faults.length} faults.`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    await steady.stop();
    served.remove();
  }
});
