/** Measures all decoders of one file against each other, in turn, so that what disturbs the machine disturbs all. */
import type { Sample } from "../../labeler/worker-process.ts";
import { bundleEngine } from "./bundle.ts";
import { Cell, type FirstDecode, type Measured } from "./cell.ts";
import { type Engine, enginesFor } from "./engines.ts";
import type { Input } from "./inputs.ts";
import { startPillow } from "./pillow.ts";

const WORKERS = "scripts/bench/.cache/workers";

export interface Effort {
  readonly rounds: number;
  /** How long a sample takes at least, in ms: decodes that are shorter are repeated. */
  readonly sample: number;
  /** How long each decoder decodes before it is measured, in ms; wasm is compiled for speed meanwhile. */
  readonly warmUp: number;
  /** A slow decoder sits out the remaining rounds when its samples took so long in all, in ms. */
  readonly patience: number;
}

export interface Result {
  readonly engine: Engine;
  /** Why there are no figures. */
  readonly failure?: string;
  readonly first?: FirstDecode;
  /** One a round, in step with the other decoders' of the file. */
  readonly samples: readonly Sample[];
}

interface Running {
  readonly engine: Engine;
  readonly cell: Measured;
  readonly first: FirstDecode;
  readonly repeat: number;
  readonly samples: Sample[];
}

const MIN_ROUNDS = 3;

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

const start = async (engine: Engine, { path, bytes }: Input): Promise<Measured> =>
  engine.native ? startPillow(path) : Cell.start(await bundleEngine(engine, WORKERS), bytes);

async function warmUp(cell: Measured, { warmUp, sample }: Effort): Promise<number> {
  let [spent, decodes, last] = [0, 0, 0];
  while (spent < warmUp || decodes < MIN_ROUNDS) {
    const repeat = Math.max(1, Math.ceil(decodes === 0 ? 1 : 30 / Math.max(last, 0.1)));
    last = (await cell.sample(repeat)).wall;
    spent += last * repeat;
    decodes += repeat;
  }
  return Math.max(1, Math.ceil(sample / Math.max(last, 0.1)));
}

function check({ width, height }: Input, first: FirstDecode, expected: number | undefined): void {
  if (first.width !== width || first.height !== height) {
    throw new Error(`gives ${first.width} × ${first.height} pixels`);
  }
  if (expected !== undefined && first.mean !== undefined && Math.abs(first.mean - expected) > 1) {
    throw new Error(`gives other pixels: ${first.mean.toFixed(1)} on average instead of ${expected.toFixed(1)}`);
  }
}

/** @throws Error if one of our own decoders fails; what becomes of a rival is in its result. */
export async function measure(input: Input, effort: Effort): Promise<Result[]> {
  const running: Running[] = [];
  const failed: Result[] = [];
  let expected: number | undefined;
  try {
    for (const engine of enginesFor(input.kind)) {
      let cell: Measured | undefined;
      try {
        cell = await start(engine, input);
        const first = await cell.first();
        check(input, first, expected);
        expected ??= first.mean;
        running.push({ engine, cell, first, repeat: await warmUp(cell, effort), samples: [] });
      } catch (error) {
        await cell?.stop();
        if (engine.ours) throw error;
        failed.push({ engine, failure: error instanceof Error ? error.message : String(error), samples: [] });
      }
    }
    for (let round = 0; round < effort.rounds; round++) {
      const turn = round % running.length;
      for (const { cell, repeat, samples } of [...running.slice(turn), ...running.slice(0, turn)]) {
        const spent = samples.reduce((sum, { wall }) => sum + wall * repeat, 0);
        if (samples.length < MIN_ROUNDS || spent < effort.patience) samples.push(await cell.sample(repeat));
      }
    }
  } finally {
    await Promise.all(running.map(({ cell }) => cell.stop()));
  }
  return [...running.map(({ engine, first, samples }) => ({ engine, first, samples })), ...failed];
}
