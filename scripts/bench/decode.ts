/**
 * npm run bench:decode [-- --json] [-- --quick] [-- --only TEXT]: from an image file to a model's input, in workerd,
 * against what npm's decoders take to decode alone. `--only` keeps the images whose name has the text: "PNG", "12 MP".
 * Linux only, since it reads /proc. The rivals are installed and the images made by the first run.
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { installRivals } from "./decode/install.ts";

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    only: { type: "string", default: "" },
  },
});

installRivals();
const { inputs } = await import("./decode/inputs.ts");
const { measure } = await import("./decode/measure.ts");
const report = await import("./decode/report.ts");

const effort = options.quick
  ? { rounds: 3, sample: 20, warmUp: 200, patience: 1000 }
  : { rounds: 11, sample: 60, warmUp: 600, patience: 5000 };

const print = (text: string) => (options.json ? console.error(text) : console.log(text));
const rows = [];
print(report.heading());
for await (const input of inputs((format, size) => `${format} ${size}`.includes(options.only))) {
  const measured = report.rowsOf(input, await measure(input, effort));
  print(report.toMarkdown(measured));
  rows.push(...measured);
}
const goals = report.goalsOf(rows);
const passed = goals.filter(({ pass }) => pass).length;
if (options.json) {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  console.log(JSON.stringify({ machine, effort, rows, goals }, undefined, 2));
} else {
  console.log(`${report.NOTES}\n\n${report.goalsToMarkdown(goals)}\n`);
  console.log(`${passed} of ${goals.length} goals pass${passed === goals.length ? "." : ", the others fail."}`);
}
