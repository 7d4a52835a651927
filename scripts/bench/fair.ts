/**
 * npm run bench:fair: whether another client is served while one loads the labeler, on workerd: what a small image, a call
 * of eKuiper's and a probe take beside lists of images, large uploads and slow ones; and what a client waits that is
 * alone. Linux only, since it reads /proc and uses many addresses of loopback.
 */
import { countIn, runCommand, UsageError } from "../command-line/command.ts";
import { type IdleTimes, measureIdle } from "./fair/idle.ts";
import { LOADS, type Load, type Outcome } from "./fair/loads.ts";
import { OtherClient } from "./fair/other-client.ts";
import { figuresOf, goalsOf, idleGoal, type LoadFigures, milliseconds, type Round, statusText } from "./fair/report.ts";
import { type Loaded, startAlone, startServed } from "./fair/start.ts";
import { goalTable } from "./inference/goals.ts";
import { head, rows } from "./inference/markdown.ts";

const IDLE = "idle";
const KEYS = ["a", "b", "c", "d", IDLE];

const usage = `npm run bench:fair -- [options]: whether another client is served while one loads the labeler

  --rounds N        how often each load is run; figures are those of the worst round (3)
  --only LOADS      some of a,b,c,d,idle:
                    a     a form of 90 photos
                    b     a JSON list of 60 large PNGs
                    c     uploads of 12 megapixels by 20 clients
                    d     eight slow uploads, with 1,000 bytes and with 70 KB at first
                    idle  one client that is alone
  --workers N       npm run serve with so many workers, instead of workerd alone
  --frozen          under a clock that stands still during computation, as on Cloudflare
  --json            the figures as JSON

It exits with 1 if a goal is missed. A round takes two minutes; another program that is busy spoils it.`;

const options = {
  rounds: { type: "string", default: "3" },
  only: { type: "string", default: KEYS.join(",") },
  workers: { type: "string" },
  frozen: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

/** @throws UsageError */
function keysIn(text: string): ReadonlySet<string> {
  const keys = text.split(",");
  const unknown = keys.find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw new UsageError(`--only ${text}: "${unknown}" is not one of ${KEYS.join(", ")}.`);
  return new Set(keys);
}

type Start = () => Promise<Loaded>;

/** Runs a load on a labeler of its own that is warm. @param withOther Whether the other client calls meanwhile. */
async function runLoad(start: Start, load: Load, withOther: boolean): Promise<Pick<Round, "calls" | "beside">> {
  const labeler = await start();
  try {
    const other = await OtherClient.start(labeler.url);
    try {
      let outcome: Outcome | undefined;
      const work = async () => {
        outcome = await load.run(labeler.url);
      };
      const calls = withOther ? await other.during(work) : await work().then(() => []);
      if (outcome === undefined) throw new Error(`${load.title}: nothing was run`);
      return { calls, beside: outcome };
    } finally {
      other.stop();
    }
  } finally {
    await labeler.stop();
  }
}

async function runRound(start: Start, load: Load): Promise<Round> {
  if (!load.isBulk) return runLoad(start, load, true);
  const { beside: alone } = await runLoad(start, load, false);
  return { ...(await runLoad(start, load, true)), alone };
}

function print(loads: readonly LoadFigures[], idle: readonly IdleTimes[]): void {
  const names = ["beside", "call", "statuses", "calls", "median", "worst"];
  const cells = loads.flatMap(({ title, calls }) =>
    calls.map(({ kind, statuses, count, median, worst }) => [
      title,
      kind,
      statusText(statuses),
      String(count),
      milliseconds(median),
      milliseconds(worst),
    ]),
  );
  if (loads.length > 0) console.log(`${head(names, 3)}\n${rows(cells)}\n`);
  const own = loads.map(({ title, statuses, bulk }) => {
    const times = bulk && [milliseconds(bulk.alone), milliseconds(bulk.beside), `${bulk.ratio.toFixed(2)} ×`];
    return [title, statusText(statuses), ...(times ?? ["", "", ""])];
  });
  if (loads.length > 0) console.log(`${head(["load", "its statuses", "alone", "beside", "ratio"], 2)}\n${rows(own)}\n`);
  const each = idle.map(({ wall, cpu }, round) => [`${round + 1}`, ...[wall, cpu, wall - cpu].map(milliseconds)]);
  const idleNames = ["one client alone, round", "by the clock", "processor", "difference"];
  if (idle.length > 0) console.log(`${head(idleNames, 1)}\n${rows(each)}\n`);
}

await runCommand({ usage, options }, async (values) => {
  const rounds = countIn("rounds", values.rounds);
  const only = keysIn(values.only);
  const workers = values.workers === undefined ? undefined : countIn("workers", values.workers);
  if (workers !== undefined && values.frozen) throw new UsageError("--frozen is for workerd alone, without --workers.");
  const prelude = values.frozen ? "scripts/labeler/frozen-clock.js" : undefined;
  const start: Start = () => (workers === undefined ? startAlone(prelude) : startServed(workers));
  const loads = LOADS.filter(({ key }) => only.has(key[0]));
  const measured = new Map<Load, Round[]>(loads.map((load) => [load, []]));
  const idle: IdleTimes[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const [load, results] of measured) {
      console.error(`round ${round} of ${rounds}: ${load.title}`);
      results.push(await runRound(start, load));
    }
    if (!only.has(IDLE)) continue;
    console.error(`round ${round} of ${rounds}: one client alone`);
    const labeler = await start();
    idle.push(await measureIdle(labeler).finally(() => labeler.stop()));
  }
  const figures = [...measured].map(([load, results]) => figuresOf(load, results));
  const goals = [...figures.flatMap(goalsOf), ...(idle.length > 0 ? [idleGoal(idle)] : [])];
  if (values.json) {
    console.log(JSON.stringify({ rounds, frozen: values.frozen, workers, loads: figures, idle, goals }, undefined, 2));
  } else {
    print(figures, idle);
    console.log(goalTable(goals));
  }
  return goals.every(({ pass }) => pass) ? 0 : 1;
});
