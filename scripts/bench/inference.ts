/**
 * npm run bench: inference in workerd, the labeler's at each precision beside the other engines that run such networks
 * there. Linux only, since it reads /proc. The rivals are installed by the first run.
 */

import { bundleTfjs } from "../build/tfjs-bundle.ts";
import { countIn, runCommand, UsageError, type Values } from "../command-line/command.ts";
import { installRivals } from "./decode/install.ts";
import { bundleProduct, type ColdRow, coldHead, coldLines, measureCold } from "./inference/cold.ts";
import { type Condition, conditions, machine } from "./inference/conditions.ts";
import { ENGINES, type Engine } from "./inference/engines.ts";
import { coldGoals, goalTable, NOTES, speedGoals, wayGoals } from "./inference/goals.ts";
import { type Effort, measure, pixelsFor } from "./inference/measure.ts";
import { NETWORKS, type Prepared, prepareModel } from "./inference/models.ts";
import { type SpeedRow, speedHead, speedLines, speedRows } from "./inference/speed-report.ts";
import { measureWay, type WayRow, wayHead, wayLines } from "./inference/way.ts";

const PARTS = ["speed", "cold", "way"];

const usage = `npm run bench -- [options]: inference in workerd beside what else runs such networks there

  --models A,B      only models whose name has one of these; there are
                    ${NETWORKS.map(({ name }) => name).join("\n                    ")}
  --engines A,B     of: ${ENGINES.map(({ key }) => key).join(", ")}
                    (BENCH_PYTHON names the Python of native)
  --only A,B        of: speed, cold (first label of a fresh process), way (a photo of 12 MP to labels); all if absent
  --rounds N        how often each process is measured (7)
  --processes N     how many processes of each engine are started, of which the fastest counts (2)
  --as-it-is        without the runs that switch parts of the processor off
  --json            one object instead of tables`;

const OPTIONS = {
  models: { type: "string" },
  engines: { type: "string" },
  only: { type: "string" },
  rounds: { type: "string", default: "7" },
  processes: { type: "string", default: "2" },
  "as-it-is": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

/** @returns The parts of a list with commas, or undefined. @throws UsageError for one that is `unknown`. */
function listIn(name: string, text: string | undefined, isKnown: (part: string) => boolean): string[] | undefined {
  const parts = text?.split(",");
  const unknown = parts?.find((part) => !isKnown(part));
  if (unknown !== undefined) throw new UsageError(`--${name}: there is no "${unknown}".`);
  return parts;
}

/** What all parts of a run share. */
interface Run {
  readonly models: readonly Prepared[];
  readonly effort: Effort;
  enginesOf(model: Prepared): Engine[];
  print(text: string): void;
}

async function modelsFor(wanted: readonly string[] | undefined): Promise<{ models: Prepared[]; skipped: string[] }> {
  const models: Prepared[] = [];
  const skipped: string[] = [];
  for (const network of NETWORKS) {
    if (wanted !== undefined && !wanted.some((part) => network.name.includes(part))) continue;
    try {
      models.push(await prepareModel(network));
    } catch (error) {
      skipped.push(`${network.title} is left out: ${(error as Error).message}`);
    }
  }
  return { models, skipped };
}

async function benchSpeed({ models, effort, enginesOf, print }: Run, under: readonly Condition[]): Promise<SpeedRow[]> {
  const speed: SpeedRow[] = [];
  print(`\n${speedHead()}`);
  for (const model of models) {
    const pixels = await pixelsFor(model);
    for (const condition of under) {
      // V8's flags change nothing about what runs outside of it.
      const fit = enginesOf(model).filter(({ worker }) => worker !== undefined || condition.flags.length === 0);
      const rows = speedRows(model, condition, await measure(model, pixels, fit, condition.flags, effort));
      print(speedLines(rows));
      speed.push(...rows);
    }
  }
  const exact = speed.find(({ exactDot }) => exactDot !== undefined)?.exactDot;
  const says = exact ? `exact, ${exact}` : "not exact here, and so not used";
  if (exact !== undefined) print(`\nThe probe says of the relaxed dot product of bytes: ${says}.`);
  return speed;
}

/** @param product The configuration of bundleProduct(). */
async function benchCold({ models, effort, enginesOf, print }: Run, product: string): Promise<ColdRow[]> {
  const cold: ColdRow[] = [];
  print(`\n${coldHead()}`);
  for (const model of models) {
    const rows = await measureCold(model, enginesOf(model), product, effort.rounds);
    print(coldLines(rows));
    cold.push(...rows);
  }
  return cold;
}

/** @param product The configuration of bundleProduct(). */
async function benchWay({ models, effort, print }: Run, product: string): Promise<WayRow[]> {
  const way: WayRow[] = [];
  print(`\n${wayHead()}`);
  for (const model of models.filter(({ shipped }) => shipped)) {
    const rows = await measureWay(model, product, effort.rounds);
    print(wayLines(rows));
    way.push(...rows);
  }
  return way;
}

async function main(options: Values<typeof OPTIONS>): Promise<number> {
  const chosen = listIn("engines", options.engines, (part) => ENGINES.some(({ key }) => key === part));
  const wanted = listIn("models", options.models, (part) => NETWORKS.some(({ name }) => name.includes(part)));
  const parts = listIn("only", options.only, (part) => PARTS.includes(part));
  const effort = {
    processes: countIn("processes", options.processes),
    rounds: countIn("rounds", options.rounds),
    sample: 150,
    warmUp: 1500,
  };
  installRivals();
  await bundleTfjs();

  const print = (text: string) => (options.json ? console.error(text) : console.log(text));
  const here = machine();
  const { avxVnni, avx512Vnni, fma } = here.features;
  const has = (feature: boolean, name: string) => `${feature ? "" : "no "}${name}`;
  print(`${here.cpu}, ${has(avxVnni, "AVX-VNNI")}, ${has(avx512Vnni, "AVX-512 VNNI")}, ${has(fma, "FMA")}\n`);
  const { models, skipped } = await modelsFor(wanted);
  for (const line of skipped) print(line);

  const engines = ENGINES.filter(({ key, optional }) => (chosen === undefined ? !optional : chosen.includes(key)));
  const run: Run = { models, effort, print, enginesOf: (model) => engines.filter((engine) => engine.takes(model)) };
  const does = (part: string) => parts === undefined || parts.includes(part);
  const under = options["as-it-is"] ? conditions(here).slice(0, 1) : conditions(here);
  const speed = does("speed") ? await benchSpeed(run, under) : [];
  const product = does("cold") || does("way") ? await bundleProduct() : "";
  const cold = does("cold") ? await benchCold(run, product) : [];
  const way = does("way") ? await benchWay(run, product) : [];

  const goals = [...speedGoals(speed), ...coldGoals(cold), ...wayGoals(way)];
  const passed = goals.filter(({ pass }) => pass).length;
  print(`\n${NOTES}\n\n${goalTable(goals)}\n\n${passed} of ${goals.length} goals pass.`);
  if (options.json) {
    const figures = { machine: here, effort, skipped, speed, cold, way, goals };
    console.log(JSON.stringify(figures, undefined, 2));
  }
  return 0;
}

await runCommand({ usage, options: OPTIONS }, main);
