/**
 * npm run bench:decode: from an image file to a model's input, in workerd, against what npm's decoders take to decode
 * alone. Linux only, since it reads /proc. The rivals are installed and the images made by the first run.
 */
import { cpus } from "node:os";
import { runCommand, type Values } from "../command-line/command.ts";
import { installRivals } from "./decode/install.ts";

const usage = `npm run bench:decode -- [options]: from an image file to a model's input, beside npm's decoders

  --only TEXT       only images whose name has this, such as "PNG" or "12 MP"
  --quick           fewer and shorter measurements
  --json            one object instead of tables`;

const options = {
  only: { type: "string", default: "" },
  quick: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

async function main({ only, quick, json }: Values<typeof options>): Promise<number> {
  installRivals();
  const { inputs } = await import("./decode/inputs.ts");
  const { measure } = await import("./decode/measure.ts");
  const report = await import("./decode/report.ts");

  const effort = quick
    ? { rounds: 3, sample: 20, warmUp: 200, patience: 1000 }
    : { rounds: 11, sample: 60, warmUp: 600, patience: 5000 };

  const print = (text: string) => (json ? console.error(text) : console.log(text));
  const rows = [];
  print(report.heading());
  for await (const input of inputs((format, size) => `${format} ${size}`.includes(only))) {
    const measured = report.rowsOf(input, await measure(input, effort));
    print(report.toMarkdown(measured));
    rows.push(...measured);
  }
  const goals = report.goalsOf(rows);
  const passed = goals.filter(({ pass }) => pass).length;
  if (json) {
    const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
    console.log(JSON.stringify({ machine, effort, rows, goals }, undefined, 2));
  } else {
    console.log(`${report.NOTES}\n\n${report.goalsToMarkdown(goals)}\n`);
    console.log(`${passed} of ${goals.length} goals pass${passed === goals.length ? "." : ", the others fail."}`);
  }
  return 0;
}

await runCommand({ usage, options }, main);
