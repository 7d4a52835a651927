/**
 * Damaged models of Keras and TensorFlow.js: each is converted or refused with a reason, soon and in bounded memory.
 * FUZZ_CASES and FUZZ_SEED change how
 * many and which: FUZZ_CASES=3000 npm test -- test/http/keras-fuzz.test.ts
 */

import { readFileSync } from "node:fs";
import { unzipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { CommandError } from "../../scripts/command-line/command.ts";
import { Archive } from "../../scripts/user/model/archives.ts";
import { convertGraph, readGraphModel } from "../../scripts/user/model/convert/graph/convert.ts";
import { convertKeras, type KerasModel } from "../../scripts/user/model/convert/keras/convert.ts";
import { kerasOfConfig, kerasOfHdf5, readKeras } from "../../scripts/user/model/convert/keras/files.ts";
import { type Hdf5Model, Hdf5Reader } from "../../scripts/user/model/convert/keras/hdf5.ts";
import { readLayersModel } from "../../scripts/user/model/convert/tfjs/layers-model.ts";
import { readWeights } from "../../scripts/user/model/convert/tfjs/manifest.ts";
import { writeTflite } from "../../scripts/user/model/convert/tflite/write.ts";
import { LabelerError } from "../../worker/errors.ts";
import { inspectModel } from "../../worker/model/inspect.ts";
import { amount } from "../amount.ts";
import { type Random, random } from "./hostile-json/random.ts";
import { mutate } from "./mutate.ts";

const CASES = Number(process.env.FUZZ_CASES ?? amount(300, 100));
const SEED = Number(process.env.FUZZ_SEED ?? 1);
/** For each, in milliseconds: five times what it may take on a machine that is not busy. */
const LONGEST = 5000;
/** What a run may hold at its end beyond what it held in the middle, in bytes. */
const MOST_GROWTH = 200 << 20;

const bytesOf = (path: string) => new Uint8Array(readFileSync(`test/fixtures/${path}`));
const textOf = (path: string) => readFileSync(`test/fixtures/${path}`, "utf8");

/** Other values than the configuration has, some of which are meant to hurt. */
const VALUES: readonly unknown[] = [
  ...[
    null,
    true,
    -1,
    0,
    0.5,
    1,
    2,
    3,
    1e9,
    2 ** 31,
    1e308,
    "",
    "same",
    "relu",
    "__proto__",
    "constructor",
    "Sequential",
  ],
  ...[
    [],
    {},
    [1],
    [0, 0],
    [1e6, 1e6],
    [
      [1, 1],
      [1e5, 0],
    ],
    ["input_1", 0, 0],
    ["conv2d", 0, 0],
    { class_name: "Dense" },
  ],
];

/** Changes some values of JSON, or takes them out, or puts others of the same JSON into their places. */
function mutateJson(json: unknown, { below, any }: Random): unknown {
  const copy = structuredClone(json);
  const places: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
  const walk = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    for (const key of Object.keys(value)) {
      places.push({ holder: value as Record<string, unknown>, key });
      walk((value as Record<string, unknown>)[key]);
    }
  };
  walk(copy);
  for (let n = 1 + below(3); n > 0; n--) {
    const { holder, key } = any(places);
    const other = any(places);
    const kind = below(4);
    if (kind === 0) delete holder[key];
    else if (kind === 1) holder[key] = structuredClone(other.holder[other.key]);
    else holder[key] = any(VALUES);
  }
  return JSON.parse(JSON.stringify(copy)) as unknown;
}

interface Outcome {
  readonly refused: number;
  readonly slowest: number;
}

/**
 * Tries mutations.
 *
 * @param before Is called before each, and not timed.
 * @throws any error that is not a refusal.
 */
async function fuzz(each: (random: Random) => Promise<unknown>, before = async () => {}): Promise<Outcome> {
  const source = random(SEED);
  let [refused, slowest, middle] = [0, 0, 0];
  for (let i = 0; i < CASES; i++) {
    await before();
    const begin = performance.now();
    try {
      await each(source);
    } catch (error) {
      if (!(error instanceof CommandError || error instanceof LabelerError)) throw error;
      expect(error.message).not.toMatch(/undefined|NaN|\[object/);
      refused++;
    }
    const took = performance.now() - begin;
    slowest = Math.max(slowest, took);
    if (i === CASES >> 1) middle = process.memoryUsage().rss;
  }
  expect(process.memoryUsage().rss - middle).toBeLessThan(MOST_GROWTH);
  return { refused, slowest };
}

/** Converts a model, and judges the result as `npm run model -- add` does. */
const convert = (model: KerasModel) => inspectModel({ tflite: writeTflite(convertKeras(model), "") });

/** Reads intact weights once. */
async function weightsOf(bytes: Uint8Array): Promise<Hdf5Model> {
  const reader = new Hdf5Reader(64 << 20);
  try {
    return await reader.read(bytes);
  } finally {
    await reader.end();
  }
}

/** A reader of HDF5 that is made anew where a file ended it. */
class LastingReader {
  #reader = new Hdf5Reader(64 << 20);

  read = (bytes: Uint8Array): Promise<Hdf5Model> => this.#reader.read(bytes);

  /** Makes a new reader if the last file ended it. */
  renew = async (): Promise<void> => {
    if (this.#reader.broken) {
      await this.end();
      this.#reader = new Hdf5Reader(64 << 20);
    }
    await this.#reader.ready;
  };

  end = (): Promise<unknown> => this.#reader.end();
}

/** That most are refused shows that the mutations reach something. */
function expectOutcome({ refused, slowest }: Outcome, part: number): void {
  console.log(`${CASES} mutations, ${refused} refused, the slowest ${slowest.toFixed(0)} ms`);
  expect(refused).toBeGreaterThan(CASES * part);
  expect(slowest).toBeLessThan(LONGEST);
}

describe("damaged models are converted or refused with a reason:", () => {
  it("HDF5 files", { timeout: 900_000 }, async () => {
    const files = ["keras/teachable/model.h5", "keras/functional-3/model.h5"].map(bytesOf);
    files.push(unzipSync(bytesOf("keras/layers-3/model.keras"))["model.weights.h5"] ?? new Uint8Array());
    const reader = new LastingReader();
    try {
      const outcome = await fuzz(
        async (source) => convert(kerasOfHdf5(await reader.read(mutate(source.any(files), source.below)))),
        reader.renew,
      );
      expectOutcome(outcome, 0.2);
    } finally {
      await reader.end();
    }
  });

  it("configurations of Keras 2", async () => {
    const file = await weightsOf(bytesOf("keras/functional-2/model.h5"));
    const json = JSON.parse(file.config ?? "") as unknown;
    const outcome = await fuzz((source) =>
      convert(kerasOfHdf5({ ...file, config: JSON.stringify(mutateJson(json, source)) })),
    );
    expectOutcome(outcome, 0.05);
  });

  it("configurations of Keras 3", async () => {
    const parts = unzipSync(bytesOf("keras/functional-3/model.keras"));
    const weights = await weightsOf(parts["model.weights.h5"] ?? new Uint8Array());
    const json = JSON.parse(new TextDecoder().decode(parts["config.json"])) as unknown;
    const outcome = await fuzz(async (source) =>
      convert(kerasOfConfig(JSON.stringify(mutateJson(json, source)), "3.15.1", weights)),
    );
    expectOutcome(outcome, 0.05);
  });

  it(".keras archives", { timeout: 900_000 }, async () => {
    const files = ["keras/layers-3/model.keras", "keras/functional-3/model.keras", "keras/teachable/model.keras"].map(
      bytesOf,
    );
    const reader = new LastingReader();
    try {
      const outcome = await fuzz(async (source) => {
        const archive = new Archive("model.keras", mutate(source.any(files), source.below));
        const parts = archive.read(["config.json", "metadata.json", "model.weights.h5"]);
        await convert(await readKeras(parts, reader.read));
      }, reader.renew);
      expectOutcome(outcome, 0.2);
    } finally {
      await reader.end();
    }
  });

  it("TensorFlow.js", async () => {
    const json = JSON.parse(textOf("keras/teachable/tfjs/model.json")) as unknown;
    const shard = bytesOf("keras/teachable/tfjs/group1-shard1of1.bin");
    const outcome = await fuzz(async (source) => {
      const bytes = source.below(4) === 0 ? mutate(shard, source.below) : shard;
      await convert(await readLayersModel(mutateJson(json, source) as Record<string, unknown>, async () => bytes));
    });
    expectOutcome(outcome, 0.05);
  });

  it.each(["layers", "operations", "pixels"])("graph models of TensorFlow.js: %s", async (name) => {
    const folder = `graph-models/${name}/graph`;
    const json = JSON.parse(textOf(`${folder}/model.json`)) as unknown;
    const shard = bytesOf(`${folder}/group1-shard1of1.bin`);
    const spec = name === "operations" ? textOf(`graph-models/${name}/spec.json`) : undefined;
    const outcome = await fuzz(async (source) => {
      const mutated = mutateJson(json, source) as Record<string, unknown>;
      // Shapes and axes are at the beginning of the weights.
      const bytes = source.below(4) === 0 ? mutate(shard, source.below) : shard;
      const weights = await readWeights(mutated.weightsManifest, async () => bytes);
      await inspectModel({ tflite: writeTflite(convertGraph(readGraphModel(mutated, weights)), ""), spec });
    });
    expectOutcome(outcome, 0.2);
  });
});
