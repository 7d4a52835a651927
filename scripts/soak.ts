/**
 * npm run soak: `npm run serve` under mixed load, some of it hostile, while workerd is killed every minute. Nothing that was
 * acknowledged is lost or doubled, no good call fails, and memory and descriptors do not grow. Linux only: it reads /proc.
 */
import { randomInt } from "node:crypto";
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { countIn, runCommand } from "./lib/command.ts";
import { residentMB } from "./lib/processes.ts";
import { Soak } from "./soak/client.ts";
import { grows, type Sample, slopeOf } from "./soak/memory.ts";
import { readPictures } from "./soak/pictures.ts";
import { Random } from "./soak/random.ts";
import { Served } from "./soak/served.ts";
import { compareStored, readStored } from "./soak/stored.ts";

const CLIENTS = 6;
/** From the first call to the first kill, and from when workerd answers again to the next kill, in milliseconds. */
const [FIRST_KILL, KILL_EVERY] = [30_000, 61_000];
/** Descriptors of an idle workerd may be so many more than before: files of the results, connections of probes. */
const SPARE_DESCRIPTORS = 16;
/** Until connections that nobody uses are closed, in milliseconds. */
const IDLE_WITHIN = 15_000;
const SHOWN_FAULTS = 20;

const usage = `npm run soak -- [options]: a labeler of npm run serve under mixed and hostile load, while workerd is killed every minute

  --minutes N       how long (10)
  --seed N          the calls of an earlier soak; another one each time unless set

It ends with 1 if something acknowledged is lost or doubled, a good call fails, or memory or descriptors grow.`;

const options = { minutes: { type: "string", default: "10" }, seed: { type: "string" } } as const;

const descriptors = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

/** Notes the memory of workerd as long as it runs, and a process that ends without having been killed. */
class Watch {
  readonly samples: Sample[] = [];
  readonly faults: string[] = [];
  #life = 0;
  #began = performance.now();
  #pid: number | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(readonly served: Served) {}

  /** Another process has begun, which answers. */
  begin(): void {
    this.#life++;
    this.#began = performance.now();
    this.#pid = this.served.workerd;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#look(), 1000);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const pid = this.#pid;
    try {
      if (pid === undefined) throw new Error("there is no workerd");
      const mb = residentMB(pid);
      this.samples.push({ life: this.#life, age: (performance.now() - this.#began) / 1000, mb });
    } catch {
      this.faults.push(`workerd (process ${pid}) has ended by itself:\n${this.served.log.slice(-2000)}`);
      this.begin();
    }
  }
}

/** Kills workerd every minute until the time is over. @returns After how many milliseconds it answered each time. */
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

/** Waits until an idle workerd has no more descriptors than that. @returns How many it has. */
async function settledDescriptors(pid: number, most: number): Promise<number> {
  const end = performance.now() + IDLE_WITHIN;
  while (descriptors(pid) > most && performance.now() < end) await sleep(200);
  return descriptors(pid);
}

const row = (name: string, value: string) => console.log(`| ${name} | ${value} |`);

await runCommand({ usage, options }, async (values) => {
  const minutes = countIn("minutes", values.minutes);
  const seed = values.seed === undefined ? randomInt(1, 1_000_000) : countIn("seed", values.seed);
  console.log(`npm run soak -- --minutes ${minutes} --seed ${seed}`);
  const served = await Served.start();
  try {
    const soak = new Soak(served, readPictures(), seed);
    const watch = new Watch(served);
    await soak.learnLabels();
    const idle = descriptors(served.workerd ?? 0);

    const until = performance.now() + minutes * 60_000;
    const random = new Random(seed);
    let over = false;
    const running = () => performance.now() < until && !over;
    watch.begin();
    const clients = Array.from({ length: CLIENTS }, () => soak.client(random.fork(), running));
    const kills = await killEveryMinute(served, watch, until).finally(() => {
      over = true;
    });
    watch.end();
    await Promise.all(clients);

    const faults = [...soak.faults, ...watch.faults];
    const left = await settledDescriptors(served.workerd ?? 0, idle + SPARE_DESCRIPTORS);
    if (left > idle + SPARE_DESCRIPTORS) faults.push(`workerd has ${left} descriptors; it had ${idle} at first`);
    const stored = await readStored(served.url);
    faults.push(...compareStored(soak.acknowledged, stored));
    const slope = slopeOf(watch.samples);
    if (slope !== undefined && grows(slope)) faults.push("workerd's memory grows, see above");
    const code = await served.stop();
    if (code !== 0) faults.push(`the labeler was asked to end: ${code === undefined ? "it did not" : `code ${code}`}`);

    console.log("| call | answers |\n|---|---|");
    for (const [kind, statuses] of [...soak.seen].sort()) {
      row(kind, [...statuses].map(([status, count]) => `${count} × ${status}`).join(", "));
    }
    row("acknowledged, of them stored", `${soak.acknowledged.size}, ${stored.length} rows in all`);
    row("workerd killed, back after", kills.map((ms) => `${(ms / 1000).toFixed(1)} s`).join(", "));
    const most = Math.max(...watch.samples.map(({ mb }) => mb)).toFixed(0);
    const growth = slope && `${slope.perMinute.toFixed(1)} ± ${slope.error.toFixed(1)} MB a minute after warm-up`;
    row("memory of workerd", `at most ${most} MB; ${growth ?? "too few samples for its growth"}`);
    row("descriptors of workerd, idle", `${idle} at first, ${left} at the end`);
    for (const fault of faults.slice(0, SHOWN_FAULTS)) console.log(`FAULT ${fault}`);
    console.log(faults.length === 0 ? "No faults." : `${faults.length} faults.`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    served.remove();
  }
});
