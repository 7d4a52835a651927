/**
 * npm run bench [-- OPTIONS]: inference in workerd, the labeler's at each precision beside the other engines that run such
 * networks there. Linux only, since it reads /proc. The rivals are installed by the first run.
 *
 *   --json            one object instead of tables
 *   --models TEXT     only models whose name has one of these, separated by commas
 *   --engines KEYS    only these, separated by commas: exact, fast, quantised, tfjs, litert; executor besides
 *   --rounds N        how often each engine is measured; 11
 *   --as-it-is        without V8's flags that switch parts of the processor off
 */
import { parseArgs } from "node:util";
import { bundleTfjs } from "../lib/tfjs-bundle.ts";
import { installRivals } from "./decode/install.ts";
import { conditions, machine } from "./inference/conditions.ts";
import { ENGINES } from "./inference/engines.ts";
import { goalTable, speedGoals } from "./inference/goals.ts";
import { measure, pixelsFor } from "./inference/measure.ts";
import { NETWORKS, type Prepared, prepareModel } from "./inference/models.ts";
import { type SpeedRow, speedHead, speedLines, speedRows } from "./inference/speed-report.ts";

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    models: { type: "string" },
    engines: { type: "string" },
    rounds: { type: "string", default: "11" },
    "as-it-is": { type: "boolean", default: false },
  },
});

installRivals();
await bundleTfjs();

const print = (text: string) => (options.json ? console.error(text) : console.log(text));
const effort = { rounds: Number(options.rounds), sample: 150, warmUp: 1500 };
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

const rows: SpeedRow[] = [];
print(`\n${speedHead()}`);
for (const model of models) {
  const pixels = await pixelsFor(model);
  for (const condition of options["as-it-is"] ? conditions(here).slice(0, 1) : conditions(here)) {
    const fit = engines.filter((engine) => engine.takes(model));
    const found = speedRows(model, condition, await measure(model, pixels, fit, condition.flags, effort));
    print(speedLines(found));
    rows.push(...found);
  }
}
const exact = rows.find(({ dotIsExact }) => dotIsExact !== undefined)?.dotIsExact;
print(`\nThe probe says of the relaxed dot product of bytes: ${exact ? "exact" : "not exact here, and so not used"}.`);

const goals = speedGoals(rows);
const passed = goals.filter(({ pass }) => pass).length;
print(`\n${goalTable(goals)}\n\n${passed} of ${goals.length} goals pass.`);
if (options.json) console.log(JSON.stringify({ machine: here, effort, skipped, speed: rows, goals }, undefined, 2));
