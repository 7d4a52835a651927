/** The taught heads of a model: one for all that it looks at, or one for each of its regions. */
import { LabelerError } from "../errors.ts";
import type { ClassifierHead } from "./classifier-head.ts";
import { restrictVocabulary, type Vocabulary } from "./vocabulary.ts";

/** A head with the vocabulary of its classes. */
export interface HeadWithVocabulary {
  readonly head: ClassifierHead;
  readonly vocabulary: Vocabulary;
}

export class Heads {
  /** Heads by the names of their regions; the name of the only head is undefined. */
  readonly #heads: ReadonlyMap<string | undefined, ClassifierHead>;
  /** The classes of all heads, each once, in the order of the regions. */
  readonly labels: readonly string[];

  /** @param heads One head, or at least one by the names of regions. */
  constructor(heads: ClassifierHead | ReadonlyMap<string, ClassifierHead>) {
    this.#heads = heads instanceof Map ? heads : new Map([[undefined, heads as ClassifierHead]]);
    this.labels = [...new Set(this.all.flatMap(({ labels }) => labels))];
  }

  /** Regions may share a head, which is listed once. */
  get all(): readonly ClassifierHead[] {
    return [...new Set(this.#heads.values())];
  }

  /** Whether each region has a head of its own. */
  get perRegion(): boolean {
    return !this.#heads.has(undefined);
  }

  /** How many bytes they keep resident. */
  get residentBytes(): number {
    return this.all.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
  }

  /**
   * Gives each head the part of a vocabulary that concerns its classes.
   *
   * @param vocabulary Of `labels`.
   * @returns The heads by region; the name of the only head is undefined.
   * @throws LabelerError of kind model-unusable if the vocabulary leaves a region without labels.
   */
  withVocabularies(vocabulary: Vocabulary): ReadonlyMap<string | undefined, HeadWithVocabulary> {
    if (!this.perRegion) return new Map(this.all.map((head) => [undefined, { head, vocabulary }]));
    const indices = new Map(this.labels.map((label, index) => [label, index]));
    const found = new Map<string | undefined, HeadWithVocabulary>();
    for (const [region, head] of this.#heads) {
      const classes = head.labels.map((label) => indices.get(label) ?? 0);
      const own = restrictVocabulary(vocabulary, classes);
      if (own.labels.length === 0)
        throw new LabelerError("model-unusable", `model.json: only and not leave no label for the region "${region}".`);
      found.set(region, { head, vocabulary: own });
    }
    return found;
  }
}
