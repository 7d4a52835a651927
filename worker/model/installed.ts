/** The installed models as the index lists them. Where models may change while the labeler runs, it is read again. */
import { LabelerError } from "../errors.ts";
import { type Clock, isolateClock } from "../runtime/clock.ts";
import { quote } from "../validation/quote.ts";
import type { IndexEntry, ModelIndex } from "./index-entry.ts";
import type { ReadBytes } from "./index-files.ts";

const INDEX_PATH = "index.json";

export interface InstalledOptions {
  /** After how many milliseconds the index is read again; never if absent, since the files of a deployment do not change. */
  readonly indexAge?: number | undefined;
  /** Whether a state of a model can still be used without its files, because it is loaded. */
  readonly isLoaded: (entry: IndexEntry) => boolean;
  readonly clock?: Clock;
}

export class InstalledModels {
  readonly #options: InstalledOptions;
  readonly #clock: Clock;
  /** What requests get, by name: the index, but for models of which only the former state can be used. */
  #entries = new Map<string, IndexEntry>();
  #text: string | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  /** How many reads of the index have begun, and which of them is in use. */
  #turns = 0;
  #turn = 0;

  constructor(options: InstalledOptions) {
    this.#options = options;
    this.#clock = options.clock ?? isolateClock;
  }

  /** The entry of a model as it was read last. */
  known(name: string): IndexEntry | undefined {
    return this.#entries.get(name);
  }

  /** Reads the index. @returns Its entries, also of models that cannot be used. */
  async list(read: ReadBytes): Promise<readonly IndexEntry[]> {
    const turn = ++this.#turns;
    const bytes = await read(INDEX_PATH);
    const text = bytes && new TextDecoder().decode(bytes);
    if (text === undefined) {
      throw new LabelerError(
        "model-unavailable",
        "model-assets/index.json is missing; npm start and npm run deploy make it.",
      );
    }
    const { models } = parseIndex(text);
    // A read that began before the last one may have an older index.
    if (turn > this.#turn) {
      if (text !== this.#text) this.#adopt(models);
      [this.#turn, this.#text, this.#readAt] = [turn, text, this.#clock.now()];
    }
    return models;
  }

  /**
   * The entry of a model.
   *
   * @throws LabelerError of kind unknown-model, which names those that are installed.
   */
  async find(name: string, read: ReadBytes): Promise<IndexEntry> {
    await this.#refresh(read);
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const models = await this.list(read);
    const found = this.#entries.get(name);
    if (found !== undefined) return found;
    const names = models.map((entry) => entry.name).join(", ") || "none";
    throw new LabelerError("unknown-model", `There is no model ${quote(name)}. Installed: ${names}.`);
  }

  /**
   * Reads the index again if that was long ago. Each of several requests reads it itself: none shall depend on another that
   * may be cancelled. An index that cannot be read leaves everything as it is.
   */
  async #refresh(read: ReadBytes): Promise<void> {
    const { indexAge } = this.#options;
    if (indexAge === undefined || this.#text === undefined || this.#clock.now() - this.#readAt < indexAge) return;
    await this.list(read).catch(() => {
      this.#readAt = this.#clock.now();
    });
  }

  /** A model whose files are being replaced keeps its former state as long as that is loaded. */
  #adopt(models: readonly IndexEntry[]): void {
    const former = this.#entries;
    const stays = ({ name, error, changing }: IndexEntry) => {
      const before = former.get(name);
      if (error === undefined || !changing || before === undefined || before.error !== undefined) return undefined;
      return this.#options.isLoaded(before) ? before : undefined;
    };
    this.#entries = new Map(models.map((entry) => [entry.name, stays(entry) ?? entry]));
  }
}

/** @throws LabelerError of kind model-unavailable if the index is being written. */
function parseIndex(text: string): ModelIndex {
  try {
    return JSON.parse(text) as ModelIndex;
  } catch (error) {
    throw new LabelerError("model-unavailable", "The index of the models is being written. Try again in a moment.", {
      cause: error,
    });
  }
}
