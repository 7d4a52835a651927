/**
 * A loaded model: pixels in, labels out. It combines a network with the vocabulary of its labels. A derived model has
 * its own vocabulary, or a taught head, and shares the network of its base.
 */
import { LabelerError } from "../errors.ts";
import { type ClassActivation, NoActivation } from "../inference/class-activation.ts";
import type { Input } from "../inference/input.ts";
import type { Parts } from "../runtime/parts.ts";
import type { Features } from "../teaching/features.ts";
import type { ClassifierHead } from "./classifier-head.ts";
import type { Heads, HeadWithVocabulary } from "./heads.ts";
import { inspectModel, type ModelFiles } from "./inspect.ts";
import { Network } from "./network.ts";
import type { Precision } from "./precision-name.ts";
import type { Label } from "./probabilities.ts";
import { type RankedLabel, rankLabels, type Scores, scoresIn } from "./scores.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface ClassifyOptions {
  /** The largest number of labels. */
  readonly top: number;
  /** The least confidence of a label, 0..1. */
  readonly min: number;
}

export interface Explanation {
  readonly labels: Label[];
  /** The contribution of each place of the input to the label. */
  readonly map: ClassActivation;
}

const shown = (ranked: readonly RankedLabel[]): Label[] =>
  ranked.map(({ confidence, label }) => ({ confidence, label }));

/** What a classifier has beside its network and its vocabulary. */
interface Composition {
  readonly owns?: boolean;
  readonly head?: ClassifierHead | undefined;
  readonly regions?: ReadonlyMap<string | undefined, HeadWithVocabulary> | undefined;
  readonly headBytes?: number | undefined;
}

export class Classifier {
  readonly #network: Network;
  readonly #vocabulary: Vocabulary;
  readonly #head: ClassifierHead | undefined;
  /** The heads of the regions, where each has its own. */
  readonly #regions: ReadonlyMap<string | undefined, HeadWithVocabulary> | undefined;
  /** How many bytes are freed with this classifier. */
  readonly #headBytes: number;
  /** Whether disposing of this classifier disposes of the network. */
  readonly #owns: boolean;

  private constructor(network: Network, vocabulary: Vocabulary, parts: Composition = {}) {
    this.#network = network;
    this.#vocabulary = vocabulary;
    this.#owns = parts.owns ?? false;
    this.#head = parts.head;
    this.#regions = parts.regions;
    this.#headBytes = parts.headBytes ?? 0;
  }

  /**
   * Makes a classifier from the files of a model.
   *
   * @param precision A precision that the model supports; see precisionFor().
   * @throws LabelerError of kind model-unusable if the files are not an image classifier that can be run.
   */
  static async load(files: ModelFiles, precision: Precision = "exact"): Promise<Classifier> {
    const model = await inspectModel(files);
    return new Classifier(await Network.load(model, precision), model.vocabulary, { owns: true });
  }

  /**
   * Makes another classifier on the same network, which is disposed of with this one.
   *
   * @param vocabulary The vocabulary of the heads' classes, or of the network's if there are no heads.
   * @throws LabelerError of kind model-unusable if the vocabulary leaves a region without labels.
   */
  derive(vocabulary: Vocabulary, heads?: Heads): Classifier {
    const regions = heads?.withVocabularies(vocabulary);
    return new Classifier(this.#network, vocabulary, {
      head: regions?.get(undefined)?.head,
      regions: heads?.perRegion ? regions : undefined,
      headBytes: heads?.residentBytes,
    });
  }

  /** The classifier for a region: itself, unless each region has a head of its own. */
  at(region: string | undefined): Classifier {
    const own = this.#regions?.get(region);
    return own === undefined ? this : new Classifier(this.#network, own.vocabulary, { head: own.head });
  }

  get input(): Network["input"] {
    return this.#network.input;
  }

  /** The labels that it may return. */
  get labels(): readonly string[] {
    return this.#vocabulary.labels;
  }

  /** How many bytes the model keeps resident; those of a base's network count only for the base. */
  get residentBytes(): number {
    return (this.#owns ? this.#network.residentBytes : 0) + this.#headBytes;
  }

  /** Whether dispose() was called, here or for the base; the classifier cannot be used after that. */
  get disposed(): boolean {
    return this.#network.disposed;
  }

  /** Runs the network once, if it has not run yet: the first run takes longer than later ones. */
  warm(): Parts<void> {
    return this.#network.warm();
  }

  /**
   * The confidence of every label.
   *
   * @param pixels [height, width, 3] of `input`, 0..255, red first.
   */
  scores(pixels: Uint8Array): Parts<Scores> {
    return this.#infer(this.#inputOf(pixels));
  }

  /**
   * Like scores(), for values that are already normalised, for a network with float32 input.
   *
   * @param values [height, width, 3] of `input`, red first.
   * @throws LabelerError of kind bad-body if the network expects its input in another order.
   */
  scoresOf(values: Float32Array): Parts<Scores> {
    return this.#infer(this.#inputOf(values));
  }

  /** @param image As scores() takes it, or in f32 as scoresOf() does. */
  #inputOf(image: Uint8Array | Float32Array): Input {
    if (image instanceof Uint8Array) return this.#network.inputFrom(image);
    const { layout, shape } = this.input;
    if (layout === "rgb") return { values: image, shape };
    throw new LabelerError(
      "bad-body",
      `The network's input is [${shape.join(", ")}]: send pixels as UINT8, or image files as BYTES.`,
    );
  }

  *#infer(input: Input): Parts<Scores> {
    if (this.#head === undefined) return scoresIn(this.#vocabulary, yield* this.#network.probabilities(input));
    return this.#scoresFrom(yield* this.#network.features(input));
  }

  /** The confidence of every label, from features of the network. */
  #scoresFrom(features: Features): Scores {
    const { probabilities, isUnknown } = this.#head?.score(features) ?? { ...features, isUnknown: undefined };
    return scoresIn(this.#vocabulary, probabilities, isUnknown);
  }

  /** The labels with the highest scores and their indices in `labels`; see rankLabels(). */
  rank(scores: Scores, { top, min }: ClassifyOptions): RankedLabel[] {
    return rankLabels(this.#vocabulary, scores, top, min);
  }

  /** The top labels for an image of the size that `input` states; see scores(). */
  *classify(pixels: Uint8Array, options: ClassifyOptions): Parts<Label[]> {
    return shown(this.rank(yield* this.scores(pixels), options));
  }

  /** The class with the highest probability among those of a label. */
  #classOf(label: number, probabilities: Float32Array): number {
    const members = this.#vocabulary.members?.[label] ?? [label];
    return members.reduce((best, index) => (probabilities[index] > probabilities[best] ? index : best));
  }

  /**
   * Like classify(), with a map of where one of the labels is seen; for a group, the map of its most probable class.
   *
   * @param rank The rank of the label; 1 is the top-1 label.
   * @throws LabelerError of kind no-explanation for a network without such maps, and for an image that is unknown.
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
   * The features of an image, on which heads are taught.
   *
   * @param image As scores() takes it, or in f32 as scoresOf() does.
   * @throws LabelerError of kind no-features for a network that does not end in a pooling over all places.
   */
  features(image: Uint8Array | Float32Array): Parts<Features> {
    return this.#network.features(this.#inputOf(image));
  }

  /** The scores and the features of an image from one run; see features(). */
  *scoresWithFeatures(image: Uint8Array | Float32Array): Parts<{ scores: Scores; features: Features }> {
    const features = yield* this.features(image);
    return { scores: this.#scoresFrom(features), features };
  }

  /** Frees the weights; a derived model does not own any. */
  dispose(): void {
    if (this.#owns) this.#network.dispose();
  }
}
