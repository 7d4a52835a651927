/**
 * npm run bench:ekuiper: labelling on one gateway, by the tutorial's Python plugin pyai and by this labeler's plugin,
 * service and sink: the real engine, in turns, on this machine. Linux only; needs Go, Python (3.11 or older for pyai's own
 * tflite_runtime; newer ones get ai-edge-litert) and nginx. Packages go to .cache/.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MODELS } from "../build/model-index.ts";
import { CommandError, countIn, runCommand } from "../command-line/command.ts";
import { buildEngine } from "../ekuiper-engine/build.ts";
import { findPython } from "../ekuiper-engine/relay.ts";
import { startWorkerd } from "../labeler/workerd.ts";
import { startBroker } from "../user/ekuiper/broker.ts";
import { CONTENDERS, type Contender } from "./ekuiper/gateway.ts";
import { measure, median, quantile, type Round } from "./ekuiper/measure.ts";
import { preparePyai } from "./ekuiper/pyai.ts";
import { type Trouble, trouble } from "./ekuiper/trouble.ts";

const usage = `npm run bench:ekuiper -- [options]: the tutorial's plugin and the labeler's plugin, service and sink on one gateway

  --rounds N        how often each is measured (2)
  --images N        how many images a round (60)
  --json            one object instead of tables

Exits with 1 if a goal is missed.`;

const options = {
  rounds: { type: "string", default: "2" },
  images: { type: "string", default: "60" },
  json: { type: "boolean", default: false },
} as const;

const contenders = Object.keys(CONTENDERS) as Contender[];
const images = ["coffee.png", "chelsea.png", "rocket.jpg", "china.jpg"].map((name) =>
  readFileSync(`test/fixtures/${name}`),
);

await runCommand({ usage, options }, async (values) => {
  const count = { rounds: countIn("rounds", values.rounds), images: countIn("images", values.images) };
  const python = findPython();
  if (python === undefined) throw new CommandError("Python 3.7 or newer was not found.");
  await buildEngine();
  const pyai = await preparePyai(python);
  const broker = await startBroker();
  // What is compared is labelling, not remembering.
  const settings = { CACHE_ANSWERS: "false" };
  const labeler = await startWorkerd({ settings });
  const exactModels = mkdtempSync(join(tmpdir(), "edge-labeler-models-"));
  const exact = await startWorkerd({ settings, models: withExactPrecision(exactModels) });
  for (const { url } of [labeler, exact]) await fetch(`${url}/readyz`);
  const parts = { broker, labeler: labeler.url, exact: exact.url, pyai, python };

  try {
    const rounds: Round[] = [];
    for (let round = 1; round <= count.rounds; round++) {
      for (const contender of contenders) {
        console.error(`round ${round}: ${CONTENDERS[contender]}`);
        rounds.push(await measure(contender, parts, contender === "exact" ? exact : labeler, images, count.images));
      }
    }
    console.error("bad inputs");
    const troubles = await trouble(["pyai", "plugin", "service"], parts);
    const rows = contenders.map((contender) => summary(contender, rounds));
    const goals = goalsOf(rows, troubles);
    if (values.json) console.log(JSON.stringify({ runtime: pyai.runtime, rows, troubles, goals }, null, 2));
    else {
      console.log(`pyai on ${pyai.runtime}; ${count.rounds} rounds of ${count.images} images, one after the other\n`);
      print(rows, troubles, goals);
    }
    return goals.every(({ pass }) => pass) ? 0 : 1;
  } finally {
    await labeler.stop();
    await exact.stop();
    await broker.stop();
    rmSync(exactModels, { recursive: true, force: true });
  }
});

/** The default model in a folder of its own, computed in its exact arithmetic unless a call says otherwise. */
function withExactPrecision(folder: string): string {
  const name = "mobilenet_v1_1.0_224";
  cpSync(join(MODELS, name), join(folder, name), { recursive: true });
  const file = join(folder, name, "model.json");
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), precision: "exact" }));
  return folder;
}

interface Row {
  readonly contender: Contender;
  readonly latency: number;
  readonly p95: number;
  readonly imagesPerSecond: number;
  readonly gatewayCpu: number;
  readonly labelerCpu: number;
  readonly rss: number;
  readonly pss: number;
}

/** Latencies of all rounds together; of everything else the best round, since others only disturb. */
function summary(contender: Contender, all: readonly Round[]): Row {
  const rounds = all.filter((round) => round.contender === contender);
  const latencies = rounds.flatMap((round) => round.latencies);
  const least = (of: (round: Round) => number) => Math.min(...rounds.map(of));
  return {
    contender,
    latency: median(latencies),
    p95: quantile(latencies, 0.95),
    imagesPerSecond: Math.max(...rounds.map((round) => round.imagesPerSecond)),
    gatewayCpu: least((round) => round.gatewayCpu),
    labelerCpu: least((round) => round.labelerCpu),
    rss: least((round) => round.memory.rss),
    pss: least((round) => round.memory.pss),
  };
}

interface Goal {
  readonly goal: string;
  readonly figure: string;
  readonly pass: boolean;
}

function goalsOf(rows: readonly Row[], troubles: readonly Trouble[]): Goal[] {
  const of = (contender: Contender) => rows.find((row) => row.contender === contender) as Row;
  const [none, theirs] = [of("none"), of("pyai")];
  const cpu = (["service", "relay", "plugin"] as const).map((contender) => ({
    goal: `gateway CPU of ${CONTENDERS[contender]} ≤ 1/8 of pyai's`,
    figure: `1/${(theirs.gatewayCpu / of(contender).gatewayCpu).toFixed(1)}`,
    pass: of(contender).gatewayCpu <= theirs.gatewayCpu / 8,
  }));
  const memory = (["service", "relay"] as const).map((contender) => {
    const extra = of(contender).rss - none.rss;
    return {
      goal: `extra gateway memory of ${CONTENDERS[contender]} ≤ 10 MB`,
      figure: `${extra.toFixed(1)} MB`,
      pass: extra <= 10,
    };
  });
  const latency = (["service", "exact"] as const).map((contender) => ({
    goal: `latency of ${CONTENDERS[contender]} no worse than pyai's`,
    figure: `${of(contender).latency.toFixed(1)} ms to ${theirs.latency.toFixed(1)} ms`,
    pass: of(contender).latency <= theirs.latency,
  }));
  const silent = troubles.filter(({ contender, outcome }) => contender !== "pyai" && outcome === "silent");
  return [
    ...cpu,
    ...memory,
    ...latency,
    {
      goal: "no bad input lost silently",
      figure: silent.map(({ contender, input }) => `${contender}: ${input}`).join(", ") || "none",
      pass: silent.length === 0,
    },
  ];
}

function print(rows: readonly Row[], troubles: readonly Trouble[], goals: readonly Goal[]): void {
  const number = (value: number, digits = 1) => (Number.isFinite(value) ? value.toFixed(digits) : "–");
  const none = rows.find(({ contender }) => contender === "none") as Row;
  console.log(
    "| | publish → label, median | p95 | images a second | CPU an image, gateway | CPU an image, labeler | gateway memory, RSS (PSS) | of that beyond eKuiper alone |\n|---|--:|--:|--:|--:|--:|--:|--:|",
  );
  for (const row of rows) {
    const memory = `${number(row.rss, 0)} MB (${number(row.pss, 0)}) | ${number(row.rss - none.rss)} MB (${number(row.pss - none.pss)})`;
    const labelerCpu = row.contender === "none" || row.contender === "pyai" ? "–" : `${number(row.labelerCpu)} ms`;
    const latency = Number.isFinite(row.latency) ? `${number(row.latency)} ms | ${number(row.p95)} ms` : "– | –";
    console.log(
      `| ${CONTENDERS[row.contender]} | ${latency} | ${number(row.imagesPerSecond)} | ${number(row.gatewayCpu, 2)} ms | ${labelerCpu} | ${memory} |`,
    );
  }
  const asked = ["pyai", "plugin", "service"] as const;
  console.log(`\n| input | ${asked.map((contender) => CONTENDERS[contender]).join(" | ")} |\n|---|---|---|---|`);
  for (const input of new Set(troubles.map((each) => each.input))) {
    const cells = asked.map((contender) => {
      const found = troubles.find((each) => each.contender === contender && each.input === input);
      if (found === undefined) return "no process to kill";
      const { outcome, detail, ms, peak } = found;
      const short = detail.replaceAll(/\s+/g, " ").replaceAll("|", "¦");
      const text = short.length > 70 ? `…${short.slice(-70)}` : short;
      const memory = peak > 200 ? `, peak ${peak.toFixed(0)} MB` : "";
      return `${outcome}: ${text} (${ms.toFixed(0)} ms${memory})`;
    });
    console.log(`| ${input} | ${cells.join(" | ")} |`);
  }
  console.log("\n| goal | | |\n|---|---|---|");
  for (const { goal, figure, pass } of goals) console.log(`| ${goal} | ${figure} | ${pass ? "met" : "**missed**"} |`);
}
