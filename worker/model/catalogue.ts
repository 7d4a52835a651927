/**
 * The installed models, and the loaded ones: each is fetched once, however many requests ask for it at the same time,
 * and stays in the isolate until its memory is needed. Files are known by path only; the caller decides where they are
 * stored.
 */
import { LabelerError } from "../errors.ts";
import { rehearse } from "../inference/rehearsal.ts";
import { rowsInWasm } from "../inference/rows.ts";
import { Semaphore } from "../runtime/semaphore.ts";
import { awaitedByAny } from "../runtime/shared-promise.ts";
import { Classifier } from "./classifier.ts";
import { checkHeads, readDerived } from "./derived.ts";
import { type IndexEntry, precisionFor, tooLargeToDeploy } from "./index-entry.ts";
import { checkUsable, FilesChanged, filesOf, ModelReplaced, type ReadBytes } from "./index-files.ts";
import { InstalledModels } from "./installed.ts";
import type { Precision } from "./precision-name.ts";

/** The functions that a load needs from the request that starts it. */
export interface ModelSource {
  readonly read: ReadBytes;
  /** Lets a load outlive the request that started it, for other requests that wait for it. */
  keepAlive(work: Promise<unknown>): void;
}

export interface CatalogueOptions {
  /** The memory limit of all loaded models, in bytes; a single model may exceed it. */
  readonly cacheBytes: number;
  /** How long a request waits for another's load before it starts its own, in milliseconds. */
  readonly deadline?: number;
  /** See InstalledOptions. */
  readonly indexAge?: number | undefined;
  /** Called with the outcome of each load. */
  readonly onLoad?: (name: string, outcome: "loaded" | "failed") => void;
}

const DEFAULT_DEADLINE = 10_000;

/** How long a request waits for the index of files that have just changed, and how often it looks, in milliseconds. */
const CHANGE = { patience: 2000, interval: 200 };

/** A loaded state of a model. */
interface Loaded {
  readonly version: string | undefined;
  readonly classifier: Classifier;
}

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

/** Whether the same call may well succeed the next time. */
const isWorthRetry = (error: unknown): boolean =>
  !(error instanceof LabelerError) || (error.kind === "model-unavailable" && !(error instanceof ModelReplaced));

/** The error of a load for the caller. */
function unavailable(name: string, cause: unknown): LabelerError {
  if (cause instanceof LabelerError && (cause.kind !== "model-unavailable" || !isWorthRetry(cause))) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LabelerError("model-unavailable", `The model "${name}" could not be loaded: ${reason}`, { cause });
}

export class Catalogue {
  readonly #options: CatalogueOptions;
  readonly #installed: InstalledModels;
  /** Allows one load at a time: each holds a whole file beside the model that it builds. */
  readonly #loads: Semaphore;
  /** Loaded models by name and precision. */
  readonly #loaded = new Map<string, Loaded>();
  /** Loads that are under way, by name, precision and version. */
  readonly #loading = new Map<string, Promise<Classifier>>();

  constructor(options: CatalogueOptions) {
    this.#options = options;
    const { deadline: patience = DEFAULT_DEADLINE, indexAge } = options;
    this.#loads = new Semaphore({ capacity: 1, patience, resource: "slots for loading a model" });
    const isLoaded = (entry: IndexEntry) => this.#find(entry, precisionFor(entry, undefined)) !== undefined;
    this.#installed = new InstalledModels({ indexAge, isLoaded });
  }

  /** The number of bytes of weights that are loaded. */
  get residentBytes(): number {
    return [...this.#loaded.values()].reduce((sum, { classifier }) => sum + classifier.residentBytes, 0);
  }

  /** Reads the index of installed models again. */
  async list(source: ModelSource): Promise<readonly IndexEntry[]> {
    return (await this.#installed.list(source.read)).map((entry) => this.#served(entry));
  }

  /**
   * The index entry of a model, which need not be loaded.
   *
   * @throws LabelerError of kind unknown-model, which names those that are installed.
   */
  async describe(name: string, source: ModelSource): Promise<IndexEntry> {
    return this.#served(await this.#installed.find(name, source.read));
  }

  /** The entry with an error if the model is too large for what serves the files here: Cloudflare, or wrangler. */
  #served(entry: IndexEntry): IndexEntry {
    const isLimited = this.#options.indexAge === undefined && entry.error === undefined;
    const tooLarge = isLimited ? tooLargeToDeploy(entry) : undefined;
    return tooLarge === undefined ? entry : { ...entry, error: tooLarge };
  }

  /**
   * The loaded model as it is now; see load().
   *
   * @param asked The precision; the model's own default if absent.
   */
  async get(name: string, source: ModelSource, asked?: Precision): Promise<Classifier> {
    const describe = () => within(this.#options.deadline ?? DEFAULT_DEADLINE, this.describe(name, source));
    const entry = await describe()
      .catch((error) => (isWorthRetry(error) ? describe() : Promise.reject(error)))
      .catch((error) => Promise.reject(unavailable(name, error)));
    return this.load(entry, precisionFor(entry, asked), source);
  }

  /**
   * Loads a model in the state that its index entry describes. Use it at once, without awaiting anything in between: a
   * later load may dispose of it.
   *
   * @throws LabelerError of kind bad-parameter (the precision), model-unusable, or model-unavailable (worth a retry);
   *   ModelReplaced if there is another state of the model by now.
   */
  async load(entry: IndexEntry, precision: Precision, source: ModelSource): Promise<Classifier> {
    const deadline = this.#options.deadline ?? DEFAULT_DEADLINE;
    const { name } = entry;
    const key = `${name}/${precision}/${entry.version}`;
    const since = performance.now();
    for (let attempt = 1; ; ) {
      const loaded = this.#find(entry, precision);
      if (loaded !== undefined) return loaded;
      if (this.#installed.known(name)?.version !== entry.version) throw new ModelReplaced(name);
      const load = this.#loading.get(key) ?? this.#start(key, entry, precision, source);
      try {
        const classifier = await within(deadline, load);
        if (!classifier.disposed) return classifier;
      } catch (error) {
        if (this.#loading.get(key) === load) this.#loading.delete(key);
        if (error instanceof FilesChanged) {
          if (performance.now() - since > CHANGE.patience) throw error;
          await scheduler.wait(CHANGE.interval);
          await this.list(source).catch(() => undefined);
          // Tries once more on behalf of this request: the request that started the load may have failed or hang.
        } else if (!isWorthRetry(error) || attempt++ > 1) throw unavailable(name, error);
      }
    }
  }

  /** The classifier of this state of a model, if it is loaded. */
  #find(
    { name, version }: { name: string; version?: string | undefined },
    precision: Precision,
  ): Classifier | undefined {
    const loaded = this.#loaded.get(`${name}/${precision}`);
    return loaded?.version === version && !loaded?.classifier.disposed ? loaded?.classifier : undefined;
  }

  #start(key: string, entry: IndexEntry, precision: Precision, source: ModelSource): Promise<Classifier> {
    const load = awaitedByAny(
      this.#load(entry, precision, source).finally(() => {
        if (this.#loading.get(key) === load) this.#loading.delete(key);
      }),
    );
    this.#loading.set(key, load);
    const { onLoad } = this.#options;
    load.then(
      () => onLoad?.(entry.name, "loaded"),
      () => onLoad?.(entry.name, "failed"),
    );
    source.keepAlive(load.catch(() => undefined));
    return load;
  }

  async #load(entry: IndexEntry, precision: Precision, source: ModelSource): Promise<Classifier> {
    checkUsable(entry);
    if (entry.base !== undefined) return this.#derive(entry, entry.base, precision, source);
    const { name } = entry;
    const read = filesOf(entry, source.read);
    const lease = await this.#loads.acquire();
    try {
      const [tflite, labels, spec] = await Promise.all([
        read(`${name}/model.tflite`, entry.bytes),
        read(`${name}/labels.txt`),
        read(`${name}/model.json`),
        entry.engine === "plan" ? rehearse(precision) : undefined,
      ]);
      if (tflite === undefined)
        throw new LabelerError("model-unavailable", `${name}/model.tflite is not in the index.`);
      this.#makeRoom(entry.memory?.[precision] ?? entry.bytes);
      const classifier = await Classifier.load({ tflite, labels: text(labels), spec: text(spec) }, precision);
      this.#keep(entry, precision, classifier);
      return classifier;
    } finally {
      lease.release();
    }
  }

  /** Puts a classifier in the place of a former state, or of a second load that began after the deadline of the first. */
  #keep({ name, version }: IndexEntry, precision: Precision, classifier: Classifier): void {
    const key = `${name}/${precision}`;
    this.#loaded.get(key)?.classifier.dispose();
    this.#loaded.set(key, { version, classifier });
  }

  /** Makes a derived model, for which only its base is loaded. */
  async #derive(entry: IndexEntry, base: string, precision: Precision, source: ModelSource): Promise<Classifier> {
    const { name, baseVersion: version } = entry;
    const derived = await readDerived(name, filesOf(entry, source.read), rowsInWasm);
    if (derived === undefined) throw new LabelerError("model-unavailable", `${name}/model.json could not be read.`);
    checkHeads(derived, entry.sha256);
    const known = this.#installed.known(base);
    // Await nothing after this: a later load may dispose of the base.
    const loaded =
      known !== undefined && known.version === version
        ? await this.load(known, precision, source)
        : this.#find({ name: base, version }, precision);
    if (loaded === undefined) throw new ModelReplaced(name);
    const classifier = loaded.derive(derived.vocabulary(loaded.labels), derived.heads);
    this.#keep(entry, precision, classifier);
    return classifier;
  }

  /**
   * Disposes of all models if another one of about `bytes` does not fit beside them. Disposing of only the oldest would
   * not help: a WebAssembly memory never shrinks, and the gap of one model seldom fits another, so the memory would
   * still grow.
   */
  #makeRoom(bytes: number): void {
    let resident = bytes;
    for (const { classifier } of this.#loaded.values()) resident += classifier.residentBytes;
    if (resident <= this.#options.cacheBytes) return;
    for (const { classifier } of this.#loaded.values()) classifier.dispose();
    this.#loaded.clear();
  }
}
