/**
 * The installed models, and the loaded ones: each is fetched once, however many requests ask for it at the same time,
 * and stays in the isolate until its memory is needed. Files are known by path only; the caller decides where they are
 * stored.
 */
import { LabelerError } from "../errors.ts";
import { rehearse } from "../inference/rehearsal.ts";
import { Semaphore } from "../runtime/semaphore.ts";
import { quote } from "../validation/quote.ts";
import { Classifier } from "./classifier.ts";
import { checkHead, readDerived } from "./derived.ts";
import { type IndexEntry, type ModelIndex, precisionFor, tooLargeToDeploy } from "./index-entry.ts";
import type { Precision } from "./precision-name.ts";

/** The functions that a load needs from the request that starts it. */
export interface ModelSource {
  /** Reads a file of the models' folder, of about `size` bytes if that is known; undefined if it does not exist. */
  read(path: string, size?: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Lets a load outlive the request that started it, for other requests that wait for it. */
  keepAlive(work: Promise<unknown>): void;
}

export interface CatalogueOptions {
  /** The memory limit of all loaded models, in bytes; a single model may exceed it. */
  readonly cacheBytes: number;
  /** How long a request waits for another's load before it starts its own, in milliseconds. */
  readonly deadline?: number;
  /** Called with the outcome of each load. */
  readonly onLoad?: (name: string, outcome: "loaded" | "failed") => void;
}

const INDEX_PATH = "index.json";
const DEFAULT_DEADLINE = 10_000;

const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

class DeadlineError extends Error {}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`no result after ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

export class Catalogue {
  readonly #options: CatalogueOptions;
  /** Allows one load at a time: each holds a whole file beside the model that it builds. */
  readonly #loads: Semaphore;
  /** Loaded models by name and precision. */
  readonly #loaded = new Map<string, Classifier>();
  readonly #loading = new Map<string, Promise<Classifier>>();
  #index: ModelIndex | undefined;

  constructor(options: CatalogueOptions) {
    this.#options = options;
    const { deadline: patience = DEFAULT_DEADLINE } = options;
    this.#loads = new Semaphore({ capacity: 1, patience, resource: "slots for loading a model" });
  }

  /** The number of bytes of weights that are loaded. */
  get residentBytes(): number {
    return [...this.#loaded.values()].reduce((sum, { residentBytes }) => sum + residentBytes, 0);
  }

  /** Reads the index of installed models again. */
  async list(source: ModelSource): Promise<readonly IndexEntry[]> {
    const json = text(await source.read(INDEX_PATH));
    if (json === undefined) {
      throw new LabelerError(
        "model-unavailable",
        "model-assets/index.json is missing; npm start and npm run deploy make it.",
      );
    }
    this.#index = JSON.parse(json) as ModelIndex;
    return this.#index.models;
  }

  /**
   * The index entry of a model, which need not be loaded.
   *
   * @throws LabelerError of kind unknown-model, which names those that are installed.
   */
  async describe(name: string, source: ModelSource): Promise<IndexEntry> {
    const known = this.#known(name);
    if (known !== undefined) return known;
    const models = await this.list(source);
    const found = models.find((entry) => entry.name === name);
    if (found !== undefined) return found;
    const names = models.map((entry) => entry.name).join(", ") || "none";
    throw new LabelerError("unknown-model", `There is no model ${quote(name)}. Installed: ${names}.`);
  }

  /**
   * The loaded model. Use it at once, without awaiting anything in between: a later load may dispose of it.
   *
   * @param asked The precision; the model's own default if absent.
   * @throws LabelerError of kind unknown-model, bad-parameter (the precision), model-unusable, or model-unavailable
   *   (worth a retry).
   */
  async get(name: string, source: ModelSource, asked?: Precision): Promise<Classifier> {
    const deadline = this.#options.deadline ?? DEFAULT_DEADLINE;
    for (let attempt = 1; ; attempt++) {
      let load: { readonly key: string; readonly classifier: Promise<Classifier> } | undefined;
      try {
        const entry = this.#known(name) ?? (await within(deadline, this.describe(name, source)));
        const precision = precisionFor(entry, asked);
        const key = `${name}/${precision}`;
        const loaded = this.#loaded.get(key);
        if (loaded !== undefined && !loaded.disposed) return loaded;
        load = { key, classifier: this.#loading.get(key) ?? this.#start(key, entry, precision, source) };
        const classifier = await within(deadline, load.classifier);
        if (!classifier.disposed) return classifier;
      } catch (error) {
        // Tries once more on behalf of this request: the request that started the load may have failed or hang.
        if (load !== undefined && this.#loading.get(load.key) === load.classifier) this.#loading.delete(load.key);
        if (error instanceof LabelerError && error.kind !== "model-unavailable") throw error;
        if (attempt > 1) {
          const cause = error instanceof Error ? error.message : String(error);
          throw new LabelerError("model-unavailable", `The model "${name}" could not be loaded: ${cause}`, {
            cause: error,
          });
        }
      }
    }
  }

  #known(name: string): IndexEntry | undefined {
    return this.#index?.models.find((entry) => entry.name === name);
  }

  #start(key: string, entry: IndexEntry, precision: Precision, source: ModelSource): Promise<Classifier> {
    const load = this.#load(key, entry, precision, source).finally(() => {
      if (this.#loading.get(key) === load) this.#loading.delete(key);
    });
    this.#loading.set(key, load);
    const { onLoad } = this.#options;
    load.then(
      () => onLoad?.(entry.name, "loaded"),
      () => onLoad?.(entry.name, "failed"),
    );
    source.keepAlive(load.catch(() => undefined));
    return load;
  }

  async #load(key: string, entry: IndexEntry, precision: Precision, source: ModelSource): Promise<Classifier> {
    const { name, base } = entry;
    if (entry.error !== undefined) throw new LabelerError("model-unusable", entry.error);
    if (base !== undefined) return this.#derive(key, entry, base, precision, source);
    const lease = await this.#loads.acquire();
    try {
      const [tflite, labels, spec] = await Promise.all([
        source.read(`${name}/model.tflite`, entry.bytes),
        entry.files.includes("labels.txt") ? source.read(`${name}/labels.txt`) : undefined,
        entry.files.includes("model.json") ? source.read(`${name}/model.json`) : undefined,
        entry.engine === "plan" ? rehearse(precision) : undefined,
      ]);
      if (tflite === undefined) {
        const tooLarge = tooLargeToDeploy(entry);
        if (tooLarge !== undefined) throw new LabelerError("model-unusable", tooLarge);
        throw new LabelerError("model-unavailable", `${name}/model.tflite could not be read.`);
      }
      this.#makeRoom(entry.memory?.[precision] ?? entry.bytes);
      const classifier = await Classifier.load({ tflite, labels: text(labels), spec: text(spec) }, precision);
      // A second load of the same model, started after the deadline of the first, may already be there.
      this.#loaded.get(key)?.dispose();
      this.#loaded.set(key, classifier);
      return classifier;
    } finally {
      lease.release();
    }
  }

  /** Makes a derived model, for which only its base is loaded. */
  async #derive(
    key: string,
    entry: IndexEntry,
    base: string,
    precision: Precision,
    source: ModelSource,
  ): Promise<Classifier> {
    const { name } = entry;
    const derived = await readDerived(name, (path) => source.read(path));
    if (derived === undefined) throw new LabelerError("model-unavailable", `${name}/model.json could not be read.`);
    checkHead(derived, entry.sha256);
    // Await nothing from here on: a later load may dispose of the base.
    const loaded = await this.get(base, source, precision);
    const classifier = loaded.derive(derived.vocabulary(loaded.labels), derived.head);
    this.#loaded.set(key, classifier);
    return classifier;
  }

  /**
   * Disposes of all models if another one of about `bytes` does not fit beside them. Disposing of only the oldest would
   * not help: a WebAssembly memory never shrinks, and the gap of one model seldom fits another, so the memory would
   * still grow.
   */
  #makeRoom(bytes: number): void {
    let resident = bytes;
    for (const classifier of this.#loaded.values()) resident += classifier.residentBytes;
    if (resident <= this.#options.cacheBytes) return;
    for (const classifier of this.#loaded.values()) classifier.dispose();
    this.#loaded.clear();
  }
}
