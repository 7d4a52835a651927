/** Measures all engines with one model against each other, in turn, so that what disturbs the machine disturbs all. */
import { readFileSync } from "node:fs";
import type { Sample } from "../../labeler/worker-process.ts";
import { bundleEngine } from "./bundle.ts";
import { type Cell, WorkerdCell } from "./cell.ts";
import type { Engine } from "./engines.ts";
import type { Prepared } from "./models.ts";
import { findPython, NativeCell } from "./native.ts";
import { argmax, medians } from "./statistics.ts";

export interface Effort {
  /** How many processes of each engine are started, one after the other; the faster one counts. */
  readonly processes: number;
  readonly rounds: number;
  /** How long a sample takes at least, in ms: inferences that are shorter are repeated. */
  readonly sample: number;
  /** How long each engine runs before it is measured, in ms; wasm is compiled for speed meanwhile. */
  readonly warmUp: number;
}

export interface Result {
  readonly engine: Engine;
  /** Why there are no figures. */
  readonly failure?: string;
  readonly details?: Cell["details"];
  /** One a round, in step with the other engines'. */
  readonly samples: readonly Sample[];
  readonly memory?: Awaited<ReturnType<Cell["memory"]>>;
}

/** Samples of the warm-up that are no faster than all before. */
const STEADY = 5;

interface Running {
  readonly engine: Engine;
  readonly cell: Cell;
  readonly repeat: number;
  readonly samples: Sample[];
}

/** The pixels of each image that the network is expected to know. */
export type Pixels = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** Decodes the images for a network, as the labeler does. */
export async function pixelsFor({ input, expected }: Prepared): Promise<Pixels> {
  const cell = await WorkerdCell.start(await bundleEngine("ours", []));
  try {
    const pixels = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const image of Object.keys(expected)) {
      const bytes = new Uint8Array(readFileSync(`test/fixtures/${image}`));
      const path = `/pixels?width=${input.width}&height=${input.height}`;
      pixels.set(image, Uint8Array.from(await cell.ask<number[]>(path, bytes)));
    }
    return pixels;
  } finally {
    await cell.stop();
  }
}

async function open({ worker, query = {} }: Engine, model: Prepared, flags: readonly string[]): Promise<Cell> {
  if (worker === undefined) {
    const python = findPython();
    if (python === undefined) throw new Error("no Python with ai-edge-litert: name one in BENCH_PYTHON");
    return NativeCell.start(python, model);
  }
  const cell = await WorkerdCell.start(await bundleEngine(worker, flags));
  try {
    await cell.load(model.name, query);
    return cell;
  } catch (error) {
    await cell.stop();
    throw error;
  }
}

/** Nothing that labels wrongly is measured. */
async function check(cell: Cell, { expected }: Prepared, pixels: Pixels): Promise<void> {
  for (const [image, bytes] of pixels) {
    const found = argmax(await cell.run(bytes));
    if (found !== expected[image]) throw new Error(`finds class ${found} in ${image} instead of ${expected[image]}`);
  }
}

/**
 * Runs the engine until it gets no faster: V8 compiles wasm for speed function by function, in the background.
 *
 * @returns How often to repeat for a sample.
 */
async function warmUp(cell: Cell, { warmUp, sample }: Effort): Promise<number> {
  const times: number[] = [];
  let [spent, wall] = [0, 0];
  const settled = () => Math.min(...times.slice(-STEADY)) > 0.98 * Math.min(...times.slice(0, -STEADY));
  while (spent < warmUp || (!settled() && spent < 8 * warmUp)) {
    const repeat = wall === 0 ? 1 : Math.max(1, Math.ceil(sample / wall));
    const { cpu, wall: last } = await cell.sample(repeat);
    wall = last;
    times.push(cpu);
    spent += cpu * repeat;
  }
  return Math.max(1, Math.ceil(sample / wall));
}

/**
 * Now and then a process stays slower than others of the same engine for as long as it lives, ours as well as the rivals:
 * so each engine gets several, and the one with the lowest median counts.
 *
 * @throws Error if one of our own engines fails; what becomes of another is in its result.
 */
export async function measure(
  model: Prepared,
  pixels: Pixels,
  engines: readonly Engine[],
  flags: readonly string[],
  effort: Effort,
): Promise<Result[]> {
  const time = ({ samples }: Result) => (samples.length === 0 ? Number.POSITIVE_INFINITY : medians(samples).cpu);
  let best = await measureOnce(model, pixels, engines, flags, effort);
  for (let process = 1; process < effort.processes; process++) {
    const next = await measureOnce(model, pixels, engines, flags, effort);
    best = best.map((result) => {
      const other = next.find(({ engine }) => engine === result.engine);
      return other !== undefined && time(other) < time(result) ? other : result;
    });
  }
  return best;
}

async function measureOnce(
  model: Prepared,
  pixels: Pixels,
  engines: readonly Engine[],
  flags: readonly string[],
  effort: Effort,
): Promise<Result[]> {
  const running: Running[] = [];
  const failed: Result[] = [];
  const done: Result[] = [];
  try {
    for (const engine of engines) {
      let cell: Cell | undefined;
      try {
        cell = await open(engine, model, flags);
        await check(cell, model, pixels);
        running.push({ engine, cell, repeat: await warmUp(cell, effort), samples: [] });
      } catch (error) {
        await cell?.stop();
        if (engine.ours) throw error;
        failed.push({ engine, failure: (error as Error).message, samples: [] });
      }
    }
    for (let round = 0; round < effort.rounds; round++) {
      const turn = round % running.length;
      for (const { cell, repeat, samples } of [...running.slice(turn), ...running.slice(0, turn)]) {
        samples.push(await cell.sample(repeat));
      }
    }
    for (const { engine, cell, samples } of running) {
      done.push({ engine, samples, details: cell.details, memory: await cell.memory() });
    }
  } finally {
    await Promise.all(running.map(({ cell }) => cell.stop()));
  }
  const order = ({ engine }: Result) => engines.indexOf(engine);
  return [...done, ...failed].toSorted((a, b) => order(a) - order(b));
}
