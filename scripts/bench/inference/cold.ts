/**
 * Cold start: from the moment at which a fresh workerd listens until it has answered its first image. All do the same
 * job in the same Worker: read the model, decode, infer. The product is there as well, with all that it has around.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { makeBundles } from "../../build/bundles.ts";
import { indexModels, MODELS } from "../../build/model-index.ts";
import { readDeclared } from "../../labeler/declared.ts";
import { bundleWorker } from "../../labeler/run.ts";
import type { Sample } from "../../labeler/worker-process.ts";
import { workerdConfig } from "../../labeler/workerd-config.ts";
import { bundleEngine } from "./bundle.ts";
import { WorkerdCell } from "./cell.ts";
import type { Engine } from "./engines.ts";
import { head, rows as lines, ms, times } from "./markdown.ts";
import type { Prepared } from "./models.ts";
import { medians } from "./statistics.ts";

const IMAGE = "coffee.png";

export interface ColdRow {
  readonly model: string;
  readonly title: string;
  readonly engine: string;
  readonly key: string;
  readonly ours: boolean;
  readonly product: boolean;
  /** Medians of one start, in ms. */
  readonly wallMs: number;
  readonly cpuMs: number;
  /** By the clock, divided by that of stock tfjs. */
  readonly ofTfjs?: number | undefined;
}

interface Starter {
  readonly engine: Engine;
  readonly product: boolean;
  readonly config: string;
  readonly path: string;
  readonly samples: Sample[];
}

/** The labeler as it is deployed, but for one setting. @returns The configuration of workerd. */
export async function bundleProduct(): Promise<string> {
  await Promise.all([indexModels(MODELS), makeBundles()]);
  const bundle = resolve("scripts/bench/.cache/inference/product");
  bundleWorker(bundle);
  const state = join(bundle, "state");
  mkdirSync(state, { recursive: true });
  const config = join(bundle, "config.capnp");
  // Else the same image again would be answered without inference.
  const settings = { CACHE_ANSWERS: "false" };
  const declared = await readDeclared();
  writeFileSync(config, workerdConfig({ declared, bundle, models: MODELS, state, address: "127.0.0.1:0", settings }));
  return config;
}

export interface Labelled {
  readonly label: string;
}

const startsOf = async (model: Prepared, engines: readonly Engine[], product: string): Promise<Starter[]> => {
  const starters: Starter[] = [];
  for (const engine of engines) {
    if (engine.worker === undefined) continue;
    const query = new URLSearchParams({ ...engine.query, model: model.name });
    const path = `/label?${query}`;
    const config = await bundleEngine(engine.worker, []);
    starters.push({ engine, product: false, config, path, samples: [] });
    if (!engine.ours || engine.optional || !model.shipped) continue;
    starters.push({ engine, product: true, config: product, path, samples: [] });
  }
  return starters;
};

async function start({ config, path, samples }: Starter, image: Uint8Array<ArrayBuffer>): Promise<string> {
  const cell = await WorkerdCell.start(config);
  try {
    const { answer, sample } = await cell.timed<Labelled[]>(path, image);
    samples.push(sample);
    return answer[0].label;
  } finally {
    await cell.stop();
  }
}

/** @throws Error if one labels wrongly. */
export async function measureCold(
  model: Prepared,
  engines: readonly Engine[],
  product: string,
  rounds: number,
): Promise<ColdRow[]> {
  const image = new Uint8Array(readFileSync(join("test/fixtures", IMAGE)));
  const starters = await startsOf(model, engines, product);
  for (let round = 0; round < rounds; round++) {
    const turn = round % starters.length;
    for (const starter of [...starters.slice(turn), ...starters.slice(0, turn)]) {
      const label = await start(starter, image);
      if (!label.includes("espresso")) throw new Error(`${starter.engine.name} finds ${label} in ${IMAGE}`);
    }
  }
  const figures = starters.map(({ engine, product: whole, samples }) => ({ engine, whole, ...medians(samples) }));
  const stock = figures.find(({ engine }) => engine.key === "tfjs")?.wall;
  return figures.map(({ engine, whole, wall, cpu }) => ({
    model: model.name,
    title: model.title,
    engine: engine.name,
    key: engine.key,
    ours: engine.ours,
    product: whole,
    wallMs: wall,
    cpuMs: cpu,
    ofTfjs: stock === undefined ? undefined : wall / stock,
  }));
}

export const coldHead = (): string =>
  head(["first label of a fresh workerd", "engine", "ms by the clock", "ms of CPU", "of stock tfjs"], 2);

export const coldLines = (rows: readonly ColdRow[]): string =>
  lines(
    rows.map((row, i) => [
      i === 0 ? row.title : "",
      row.ours ? `**${row.engine}${row.product ? ", the whole labeler" : ""}**` : row.engine,
      ms(row.wallMs),
      ms(row.cpuMs),
      times(row.ofTfjs),
    ]),
  );
