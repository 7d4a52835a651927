/**
 * npm run bench:arm: how many instructions an inference takes on processors of the ARM kind, emulated by QEMU. They are no
 * measure of time, but they are the same on any machine, and say what a change to the kernels does there.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PlanOptions } from "../../worker/inference/plan/plan.ts";
import { runCommand } from "../command-line/command.ts";
import { bundleNetworkWorker } from "../labeler/bundle-network-worker.ts";
import { startWorker, WorkerProcess } from "../labeler/worker-process.ts";
import { V8_FLAGS } from "../labeler/workerd-config.ts";
import { ARM_CPUS, ARM_ROOT, needEmulator, QEMU, workerdForArm } from "../user/package/emulated-arm.ts";
import type { Loaded } from "./arm/worker.ts";
import { filesOf, NETWORKS } from "./inference/models.ts";

const usage = `npm run bench:arm -- [options]: instructions of an inference on ARM, emulated by QEMU

  --workerd FILE   workerd for linux-arm64; npm's package of it is downloaded unless given
  --only NAME      one of the networks; several
  --cpu CPU        one of the processors, max or cortex-a72
  --json           prints the figures as JSON

Outputs are compared with those of the kernels for any processor, there and on this machine; it exits with 1 if they
differ. Networks that are not in the repository are looked for in LABELER_REFERENCE. It needs a C compiler, and Debian's
packages qemu-user and libc6-arm64-cross.`;

const options = {
  workerd: { type: "string" },
  only: { type: "string", multiple: true },
  cpu: { type: "string" },
  json: { type: "boolean" },
} as const;

const MEASURED = [
  ["mobilenet_quant_v1_224", "quantised"],
  ["mobilenet_v2_1.0_224_quant", "quantised"],
  ["tf2_mobilenet_v2_1.0_224_ptq", "quantised"],
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
  /** Whether these are also the outputs of this machine. With `exact` they need not be: ARM rounds a × b + c once. */
  readonly sameAsHere: boolean;
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

type Measured = (typeof MEASURED)[number];

/** Copies the networks into a folder from which workerd serves them. @returns What is measured of those that are here. */
function copyNetworks(folder: string, only: readonly string[] | undefined): Measured[] {
  return MEASURED.filter(([name]) => {
    if (only !== undefined && !only.includes(name)) return false;
    const network = NETWORKS.find((known) => known.name === name);
    if (network === undefined) throw new Error(`${name} is not among the networks`);
    let files: ReturnType<typeof filesOf>;
    try {
      files = filesOf(network);
    } catch (error) {
      console.error(`${name} is left out: ${(error as Error).message}`);
      return false;
    }
    mkdirSync(join(folder, name), { recursive: true });
    for (const [file, path] of Object.entries(files)) copyFileSync(path, join(folder, name, file));
    return true;
  });
}

const load = (worker: WorkerProcess, model: string, options: PlanOptions): Promise<Loaded> =>
  worker.ask<Loaded>(`/load?what=${encodeURIComponent(JSON.stringify({ model, options }))}`);

/** The digests of the outputs by the kernels for any processor on this machine. */
async function digestsHere(config: string, measured: readonly Measured[]): Promise<string[]> {
  const worker = new WorkerProcess(await startWorker(config));
  try {
    const digests: string[] = [];
    for (const [model, precision] of measured)
      digests.push((await load(worker, model, { precision, ...PLAIN })).digest);
    return digests;
  } finally {
    await worker.stop();
  }
}

/** Measures all models on one processor. @param here The digests of digestsHere(). */
async function* measure(
  folder: string,
  cpu: string,
  config: string,
  workerd: string,
  measured: readonly Measured[],
  here: readonly string[],
) {
  const counter = join(folder, `count-${cpu}`);
  writeFileSync(counter, Buffer.alloc(8));
  const command = [
    QEMU,
    "-L",
    ARM_ROOT,
    "-cpu",
    cpu,
    "-plugin",
    `${join(folder, "count.so")},count=${counter}`,
    workerd,
  ];
  const worker = new WorkerProcess(await startWorker(config, { command }));
  try {
    for (const [at, [model, precision]] of measured.entries()) {
      const of = async (how: Omit<PlanOptions, "precision">): Promise<Loaded & { millions: number }> => {
        const loaded = await load(worker, model, { precision, ...how });
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
        sameAsHere: plain.digest === here[at],
        kernels: chosen.kernels,
      };
      yield row;
    }
  } finally {
    await worker.stop();
  }
}

const outputsOf = ({ sameOutputs, sameAsHere }: Row): string =>
  sameOutputs ? (sameAsHere ? "same everywhere" : "same there") : "DIFFER";

const isRight = (row: Row): boolean => row.sameOutputs && (row.sameAsHere || row.precision === "exact");

const line = (row: Row): string => {
  const { model, precision, cpu, millions, plainMillions, kernels } = row;
  const figures = [millions.toFixed(1), plainMillions.toFixed(1), (millions / plainMillions).toFixed(2)];
  const most = Object.entries(kernels)
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, 2)
    .map(([kernel, steps]) => `${steps} ${kernel}`);
  return `| ${[model, precision, cpu, ...figures, outputsOf(row), most.join(", ")].join(" | ")} |`;
};

await runCommand({ usage, options }, async ({ workerd, only, cpu: wanted, json }) => {
  needEmulator();
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-arm-"));
  const rows: Row[] = [];
  try {
    execFileSync("cc", ["-shared", "-fPIC", "-O2", "scripts/bench/arm/count.c", "-o", join(folder, "count.so")]);
    const program = workerdForArm(workerd, join(folder, "workerd"));
    const models = join(folder, "models");
    const measured = copyNetworks(models, only);
    const config = await bundleNetworkWorker({
      source: "scripts/bench/arm/worker.ts",
      folder,
      models,
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
    const here = await digestsHere(config, measured);
    for (const cpu of ARM_CPUS.filter((name) => wanted === undefined || name === wanted)) {
      for await (const row of measure(folder, cpu, config, program, measured, here)) {
        rows.push(row);
        if (!json) console.log(line(row));
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (json) console.log(JSON.stringify(rows, undefined, 2));
  return rows.every(isRight) ? 0 : 1;
});
