/**
 * npm run bench:arm: how many instructions an inference takes on processors of the ARM kind, emulated by QEMU. They are no
 * measure of time, but they are the same on any machine, and say what a change to the kernels does there.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PlanOptions } from "../../worker/inference/plan/plan.ts";
import { MODELS } from "../build/model-index.ts";
import { CommandError, fromUser, runCommand } from "../command-line/command.ts";
import { bundleNetworkWorker } from "../labeler/bundle-network-worker.ts";
import { startWorker, WorkerProcess } from "../labeler/worker-process.ts";
import { V8_FLAGS } from "../labeler/workerd-config.ts";
import { workerdFor } from "../user/package/workerd-for.ts";
import type { Loaded } from "./arm/worker.ts";

const usage = `npm run bench:arm -- [options]: instructions of an inference on ARM, emulated by QEMU

  --models FOLDER  where the models are, model-assets
  --workerd FILE   workerd for linux-arm64; npm's package of it is downloaded unless given
  --only NAME      one of the models; several
  --cpu CPU        one of the processors, max or cortex-a72
  --json           prints the figures as JSON

It needs a C compiler, and Debian's packages qemu-user and libc6-arm64-cross.`;

const options = {
  models: { type: "string" },
  workerd: { type: "string" },
  only: { type: "string", multiple: true },
  cpu: { type: "string" },
  json: { type: "boolean" },
} as const;

const QEMU = "/usr/bin/qemu-aarch64";
/** C libraries of ARM. */
const ROOT = "/usr/aarch64-linux-gnu";

/** Processors by QEMU's names: all that ARM has, and that of a Raspberry Pi 4, which has no dot product. */
const CPUS = ["max", "cortex-a72"] as const;

const MEASURED = [
  ["mobilenet_quant_v1_224", "quantised"],
  ["mobilenet_v1_1.0_224", "exact"],
  ["mobilenet_v1_1.0_224", "fast"],
  ["efficientnet_lite0", "exact"],
  ["efficientnet_lite0", "fast"],
] as const;

/** The kernels for any processor, which the others are compared with. */
const PLAIN = { dot: false, pairs: false, apart: false } as const;

/** Inferences that are counted, and those before, which V8 needs to optimise what it has not. */
const REPEAT = 2;
const WARM_UP = 1;

interface Row {
  readonly model: string;
  readonly precision: string;
  readonly cpu: string;
  /** Millions of instructions of an inference. */
  readonly millions: number;
  /** The same by the kernels for any processor. */
  readonly plainMillions: number;
  /** Whether both give the same outputs, to the last bit. */
  readonly sameOutputs: boolean;
  readonly kernels: Loaded["kernels"];
}

/** Counts the instructions of an inference, in millions. */
async function count(worker: WorkerProcess, counter: string): Promise<number> {
  const run = async (repeat: number): Promise<bigint> => {
    const before = readFileSync(counter).readBigUInt64LE();
    await worker.ask(`/run?repeat=${repeat}`);
    return readFileSync(counter).readBigUInt64LE() - before;
  };
  await run(WARM_UP);
  // The difference is of inferences alone, without the request.
  const [one, more] = [await run(1), await run(1 + REPEAT)];
  return Number(more - one) / REPEAT / 1e6;
}

/** Measures all models on one processor. */
async function* measure(folder: string, cpu: string, config: string, workerd: string, only?: readonly string[]) {
  const counter = join(folder, `count-${cpu}`);
  writeFileSync(counter, Buffer.alloc(8));
  const command = [QEMU, "-L", ROOT, "-cpu", cpu, "-plugin", `${join(folder, "count.so")},count=${counter}`, workerd];
  const worker = new WorkerProcess(await startWorker(config, { command }));
  try {
    for (const [model, precision] of MEASURED) {
      if (only !== undefined && !only.includes(model)) continue;
      const of = async (how: Omit<PlanOptions, "precision">): Promise<Loaded & { millions: number }> => {
        const what = encodeURIComponent(JSON.stringify({ model, options: { precision, ...how } }));
        const loaded = await worker.ask<Loaded>(`/load?what=${what}`);
        return { ...loaded, millions: await count(worker, counter) };
      };
      const [chosen, plain] = [await of({}), await of(PLAIN)];
      const row: Row = {
        model,
        precision,
        cpu,
        millions: chosen.millions,
        plainMillions: plain.millions,
        sameOutputs: chosen.digest === plain.digest,
        kernels: chosen.kernels,
      };
      yield row;
    }
  } finally {
    await worker.stop();
  }
}

const line = ({ model, precision, cpu, millions, plainMillions, sameOutputs, kernels }: Row): string => {
  const figures = [millions.toFixed(1), plainMillions.toFixed(1), (millions / plainMillions).toFixed(2)];
  const most = Object.entries(kernels)
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, 2)
    .map(([kernel, steps]) => `${steps} ${kernel}`);
  return `| ${[model, precision, cpu, ...figures, sameOutputs ? "same" : "DIFFER", most.join(", ")].join(" | ")} |`;
};

await runCommand({ usage, options }, async ({ models, workerd, only, cpu: wanted, json }) => {
  for (const needed of [QEMU, ROOT]) {
    if (!existsSync(needed))
      throw new CommandError(`${needed} is missing: install qemu-user and libc6-arm64-cross.`, 1);
  }
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-arm-"));
  const rows: Row[] = [];
  try {
    execFileSync("cc", ["-shared", "-fPIC", "-O2", "scripts/bench/arm/count.c", "-o", join(folder, "count.so")]);
    const program = workerd === undefined ? join(folder, "workerd") : fromUser(workerd);
    if (workerd === undefined) await workerdFor("linux-arm64", program);
    const config = await bundleNetworkWorker({
      source: "scripts/bench/arm/worker.ts",
      folder,
      models: models === undefined ? MODELS : fromUser(models),
      // Without Liftoff, V8 optimises each function before its first call, so that no call is counted before that.
      v8Flags: [...V8_FLAGS, "--no-liftoff"],
    });
    if (!json) {
      console.log(
        "Million instructions of an inference: as the labeler computes it, and by the kernels for any processor.\n",
      );
      console.log("| model | precision | CPU | instructions | any processor | ratio | outputs | kernels |");
      console.log("| --- | --- | --- | --: | --: | --: | --- | --- |");
    }
    for (const cpu of CPUS.filter((name) => wanted === undefined || name === wanted)) {
      for await (const row of measure(folder, cpu, config, program, only)) {
        rows.push(row);
        if (!json) console.log(line(row));
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (json) console.log(JSON.stringify(rows, undefined, 2));
  return rows.every(({ sameOutputs }) => sameOutputs) ? 0 : 1;
});
