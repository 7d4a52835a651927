/**
 * A model that is loaded: pixels in, labels out. It is a network with the words in which it answers; a derived model has
 * words, or a taught head, of its own and shares the network of its base.
 */
import { LabelerError } from "../errors.ts";
import { type ClassActivation, NoActivation } from "../inference/class-activation.ts";
import type { Input } from "../inference/input.ts";
import type { Parts } from "../runtime/parts.ts";
import type { Features } from "../teaching/features.ts";
import type { ClassifierHead } from "./classifier-head.ts";
import { inspectModel, type ModelFiles } from "./inspect.ts";
import { Network } from "./network.ts";
import type { Precision } from "./precision-name.ts";
import type { Label } from "./probabilities.ts";
import { type RankedLabel, rankLabels, type Scores, scoresIn } from "./scores.ts";
import { plainVocabulary, type Vocabulary } from "./vocabulary.ts";

export interface ClassifyOptions {
  /** How many labels at most. */
  readonly top: number;
  /** The least confidence of a label, 0..1. */
  readonly min: number;
}

export interface Explanation {
  readonly labels: Label[];
  /** How much each place of the input speaks for the label. */
  readonly map: ClassActivation;
}

const shown = (ranked: readonly RankedLabel[]): Label[] =>
  ranked.map(({ confidence, label }) => ({ confidence, label }));

export class Classifier {
  readonly #network: Network;
  readonly #vocabulary: Vocabulary;
  readonly #head: ClassifierHead | undefined;
  /** Whether the network ends with this classifier. */
  readonly #owns: boolean;

  private constructor(network: Network, vocabulary: Vocabulary, owns: boolean, head?: ClassifierHead) {
    this.#network = network;
    this.#vocabulary = vocabulary;
    this.#owns = owns;
    this.#head = head;
  }

  /**
   * Makes a classifier of the files of a model.
   *
   * @param precision One that the model can have; see precisionFor().
   * @throws LabelerError of kind model-unusable if they are no image classifier that can be run.
   */
  static async load(files: ModelFiles, precision: Precision = "exact"): Promise<Classifier> {
    const model = await inspectModel(files);
    return new Classifier(await Network.load(model, precision), plainVocabulary(model.labels), true);
  }

  /**
   * Another classifier on the same network, which is disposed of with this one.
   *
   * @param vocabulary Of the head's classes, or of the network's if there is no head.
   */
  derive(vocabulary: Vocabulary, head?: ClassifierHead): Classifier {
    return new Classifier(this.#network, vocabulary, false, head);
  }

  get input(): Network["input"] {
    return this.#network.input;
  }

  /** What it may answer. */
  get labels(): readonly string[] {
    return this.#vocabulary.labels;
  }

  /** How many bytes the model keeps resident; those of a base's network count for the base alone. */
  get residentBytes(): number {
    return (this.#owns ? this.#network.residentBytes : 0) + (this.#head?.residentBytes ?? 0);
  }

  /** Whether dispose() was called, here or for the base, after which nothing else may be. */
  get disposed(): boolean {
    return this.#network.disposed;
  }

  /** Runs the network once, if it has not run yet: the first run takes longer than those behind it. */
  warm(): Parts<void> {
    return this.#network.warm();
  }

  /**
   * The confidence of every label.
   *
   * @param pixels [height, width, 3] of `input`, 0..255, red first.
   */
  scores(pixels: Uint8Array): Parts<Scores> {
    return this.#infer(this.#network.inputFrom(pixels));
  }

  /**
   * As scores(), of numbers that are normalised already, for a network with float32 input.
   *
   * @param values [height, width, 3] of `input`, red first.
   * @throws LabelerError of kind bad-body where the network has its input in another order.
   */
  scoresOf(values: Float32Array): Parts<Scores> {
    const { layout, shape } = this.input;
    if (layout === "rgb") return this.#infer({ values, shape });
    throw new LabelerError(
      "bad-body",
      `The network's input is [${shape.join(", ")}]: send pixels as UINT8, or image files as BYTES.`,
    );
  }

  *#infer(input: Input): Parts<Scores> {
    if (this.#head === undefined) return scoresIn(this.#vocabulary, yield* this.#network.probabilities(input));
    const { probabilities, isUnknown } = yield* this.#head.infer(this.#network, input);
    return scoresIn(this.#vocabulary, probabilities, isUnknown);
  }

  /** The best of the scores with their places in `labels`; see rankLabels(). */
  rank(scores: Scores, { top, min }: ClassifyOptions): RankedLabel[] {
    return rankLabels(this.#vocabulary, scores, top, min);
  }

  /** The best labels for an image of the size that `input` says; see scores(). */
  *classify(pixels: Uint8Array, options: ClassifyOptions): Parts<Label[]> {
    return shown(this.rank(yield* this.scores(pixels), options));
  }

  /** The class that counts most for a label. */
  #classOf(label: number, probabilities: Float32Array): number {
    const members = this.#vocabulary.members?.[label] ?? [label];
    return members.reduce((best, index) => (probabilities[index] > probabilities[best] ? index : best));
  }

  /**
   * As classify(), and for one of the labels where it is seen; for a group that is where its likeliest class is.
   *
   * @param rank Of the label; 1 is the best.
   * @throws LabelerError of kind no-explanation for a network that has no such maps, and for an image that is unknown.
   */
  *explain(pixels: Uint8Array, rank: number, options: ClassifyOptions): Parts<Explanation> {
    const choose = (probabilities: Float32Array, scores: number) => {
      if (scores < this.#network.labels.length) throw new NoActivation("The network has one score for two labels.");
      const ranked = this.rank(scoresIn(this.#vocabulary, probabilities), { top: rank, min: 0 });
      const { index } = ranked.at(-1) ?? {};
      if (index === undefined) throw new NoActivation("No label has the confidence that model.json asks for.");
      if (index < 0) throw new NoActivation("The image is unknown: no place in it speaks for a label.");
      return this.#classOf(index, probabilities);
    };
    try {
      if (this.#head !== undefined) throw new NoActivation("A taught model has no map of its classes.");
      const { probabilities, map } = yield* this.#network.activation(this.#network.inputFrom(pixels), choose);
      return { labels: shown(this.rank(scoresIn(this.#vocabulary, probabilities), options)), map };
    } catch (error) {
      if (!(error instanceof NoActivation)) throw error;
      throw new LabelerError("no-explanation", error.message, { cause: error });
    }
  }

  /**
   * What the network makes of an image, of which heads are taught.
   *
   * @param image As scores() takes it, or in 32-bit floats as scoresOf() does.
   * @throws LabelerError of kind no-features for a network that does not end in a pooling over all places.
   */
  features(image: Uint8Array | Float32Array): Parts<Features> {
    if (image instanceof Uint8Array) return this.#network.features(this.#network.inputFrom(image));
    return this.#network.features({ values: image, shape: this.input.shape });
  }

  /** Frees the weights; a derived model has none. */
  dispose(): void {
    if (this.#owns) this.#network.dispose();
  }
}
