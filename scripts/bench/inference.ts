/**
 * npm run bench [-- OPTIONS]: inference in workerd, the labeler's at each precision beside the other engines that run such
 * networks there. Linux only, since it reads /proc. The rivals are installed by the first run.
 *
 *   --json            one object instead of tables
 *   --models TEXT     only models whose name has one of these, separated by commas
 *   --engines KEYS    only these, separated by commas: exact, fast, quantised, tfjs, litert,
 *                     ort, native (BENCH_PYTHON names its Python); and besides executor, litert16
 *   --only PARTS      speed, cold or way: inference; the first label of a fresh process; from a 12 MP JPEG to labels
 *   --rounds N        how often each process is measured; 7
 *   --processes N     how many processes of each engine are started, of which the fastest counts; 2
 *   --as-it-is        without V8's flags that switch parts of the processor off
 */
import { parseArgs } from "node:util";
import { bundleTfjs } from "../lib/tfjs-bundle.ts";
import { installRivals } from "./decode/install.ts";
import { bundleProduct, type ColdRow, coldHead, coldLines, measureCold } from "./inference/cold.ts";
import { conditions, machine } from "./inference/conditions.ts";
import { ENGINES } from "./inference/engines.ts";
import { coldGoals, goalTable, NOTES, speedGoals, wayGoals } from "./inference/goals.ts";
import { measure, pixelsFor } from "./inference/measure.ts";
import { NETWORKS, type Prepared, prepareModel } from "./inference/models.ts";
import { type SpeedRow, speedHead, speedLines, speedRows } from "./inference/speed-report.ts";
import { measureWay, type WayRow, wayHead, wayLines } from "./inference/way.ts";

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    models: { type: "string" },
    engines: { type: "string" },
    only: { type: "string" },
    rounds: { type: "string", default: "7" },
    processes: { type: "string", default: "2" },
    "as-it-is": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (options.help) {
  console.log(`npm run bench -- [options]: inference in workerd beside what else runs such networks there

  --models A,B      of: ${NETWORKS.map(({ name }) => name).join(", ")}
  --engines A,B     of: ${ENGINES.map(({ key }) => key).join(", ")}
  --only X          speed, cold (first label of a fresh process) or way (a photo of 12 MP to labels); all if absent
  --rounds N        of measurements (7);  --processes N: of each engine, of which the faster counts (2)
  --as-it-is        without the runs that switch parts of the processor off
  --json            the same as one object`);
  process.exit();
}

installRivals();
await bundleTfjs();

const print = (text: string) => (options.json ? console.error(text) : console.log(text));
const effort = { processes: Number(options.processes), rounds: Number(options.rounds), sample: 150, warmUp: 1500 };
const here = machine();
const { avxVnni, avx512Vnni, fma } = here.features;
const has = (feature: boolean, name: string) => `${feature ? "" : "no "}${name}`;
print(`${here.cpu}, ${has(avxVnni, "AVX-VNNI")}, ${has(avx512Vnni, "AVX-512 VNNI")}, ${has(fma, "FMA")}\n`);

const chosen = options.engines?.split(",");
const engines = ENGINES.filter(({ key, optional }) => (chosen === undefined ? !optional : chosen.includes(key)));
const wanted = options.models?.split(",");
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
for (const line of skipped) print(line);

const enginesOf = (model: Prepared) => engines.filter((engine) => engine.takes(model));
const does = (part: string) => options.only === undefined || options.only.split(",").includes(part);

const speed: SpeedRow[] = [];
if (does("speed")) {
  print(`\n${speedHead()}`);
  for (const model of models) {
    const pixels = await pixelsFor(model);
    for (const condition of options["as-it-is"] ? conditions(here).slice(0, 1) : conditions(here)) {
      // V8's flags change nothing about what runs outside of it.
      const fit = enginesOf(model).filter(({ worker }) => worker !== undefined || condition.flags.length === 0);
      const results = await measure(model, pixels, fit, condition.flags, effort);
      const rows = speedRows(model, condition, results);
      print(speedLines(rows));
      speed.push(...rows);
    }
  }
  const exact = speed.find(({ dotIsExact }) => dotIsExact !== undefined)?.dotIsExact;
  if (exact !== undefined)
    print(
      `\nThe probe says of the relaxed dot product of bytes: ${exact ? "exact" : "not exact here, and so not used"}.`,
    );
}

const product = does("cold") || does("way") ? await bundleProduct() : "";
const cold: ColdRow[] = [];
if (does("cold")) {
  print(`\n${coldHead()}`);
  for (const model of models) {
    const rows = await measureCold(model, enginesOf(model), product, effort.rounds);
    print(coldLines(rows));
    cold.push(...rows);
  }
}

const way: WayRow[] = [];
if (does("way")) {
  print(`\n${wayHead()}`);
  for (const model of models.filter(({ shipped }) => shipped)) {
    const rows = await measureWay(model, product, effort.rounds);
    print(wayLines(rows));
    way.push(...rows);
  }
}

const goals = [...speedGoals(speed), ...coldGoals(cold), ...wayGoals(way)];
const passed = goals.filter(({ pass }) => pass).length;
print(`\n${NOTES}\n\n${goalTable(goals)}\n\n${passed} of ${goals.length} goals pass.`);
if (options.json) {
  const figures = { machine: here, effort, skipped, speed, cold, way, goals };
  console.log(JSON.stringify(figures, undefined, 2));
}
