/** A classifier head: examples of a user's classes, and what tells the classes of other photos by them. */
import { LabelerError } from "../errors.ts";
import { Comparison } from "./comparison.ts";
import type { Examples } from "./examples.ts";
import { DENSE_NAMES, type Features } from "./features.ts";
import { selfLikeness } from "./kernel.ts";
import type { PlaceRows } from "./rows.ts";
import { type Layout, layoutOf, type Sample, sampleOf } from "./sample.ts";
import type { BaseStatistics } from "./statistics.ts";

/** All of a head, as its file has it. */
export interface HeadData {
  readonly base: HeadBase;
  /** The names of the classes. */
  readonly labels: readonly string[];
  readonly statistics: BaseStatistics;
  readonly examples: Examples;
  /** The class of each example. */
  readonly classes: Uint16Array;
  /** The SHA-256 of each example's photo: [examples, 32]. */
  readonly digests: Uint8Array;
  /** What each example adds to each class for its likeness: [examples, classes]. */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  /** The strength of the ridge with which the head was taught. */
  readonly strength: number;
  readonly temperature: number;
  /** Absent where classes have too few photos to tell what is unlike them. */
  readonly novelty: { readonly threshold: number; readonly triangle: Float32Array } | undefined;
}

/** The network that the features are of, and how photos became its input. */
export interface HeadBase {
  readonly name: string;
  /** The SHA-256 of model.tflite, in hexadecimal. */
  readonly sha256: string;
  readonly precision: string;
  readonly crop: string;
}

export interface HeadScores {
  /** The probability of each class, 0..1; they sum to 1. */
  readonly probabilities: Float32Array;
  /** How unlike all examples the photo is, 0..1; undefined where that is not known. */
  readonly novelty: number | undefined;
  /** Whether the photo is of none of the classes. */
  readonly isUnknown: boolean;
}

/** The place of row `i` in a lower triangle that is stored row by row. */
const rowStart = (i: number): number => (i * (i + 1)) / 2;

/** The part of a square matrix from the first column to the diagonal, row by row. */
export function packTriangle(matrix: Float64Array, size: number): Float32Array {
  const packed = new Float32Array(rowStart(size));
  for (let i = 0; i < size; i++) packed.set(matrix.subarray(i * size, i * size + i + 1), rowStart(i));
  return packed;
}

/** |M·k|² of a packed triangle M. */
function squaredLength(triangle: Float32Array, vector: Float64Array): number {
  let squares = 0;
  for (let i = 0; i < vector.length; i++) {
    const start = rowStart(i);
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    let j = 0;
    // Four sums do not wait for each other.
    for (; j + 3 <= i; j += 4) {
      s0 += triangle[start + j] * vector[j];
      s1 += triangle[start + j + 1] * vector[j + 1];
      s2 += triangle[start + j + 2] * vector[j + 2];
      s3 += triangle[start + j + 3] * vector[j + 3];
    }
    for (; j <= i; j++) s0 += triangle[start + j] * vector[j];
    squares += (s0 + s1 + (s2 + s3)) ** 2;
  }
  return squares;
}

const LAYOUT_NAMES = [...DENSE_NAMES, "classes"] as const;

/** "pooled 1280, maxima 1280, …" */
const shown = (layout: Layout): string => LAYOUT_NAMES.map((name) => `${name} ${layout[name]}`).join(", ");

export class Head {
  readonly data: HeadData;
  readonly #comparison: Comparison;

  /** @param place Where photos are compared with the examples. */
  constructor(data: HeadData, place?: PlaceRows) {
    this.#comparison = new Comparison(data.examples, place);
    // The comparison has them in its own memory, and two copies would be twice as much.
    this.data = { ...data, examples: this.#comparison.examples };
  }

  get labels(): readonly string[] {
    return this.data.labels;
  }

  /** How many bytes it keeps resident. */
  get residentBytes(): number {
    const { examples, statistics, weights, novelty } = this.data;
    const spreads = [statistics.maxima, statistics.late, statistics.early].flatMap(({ mean, deviation }) => [
      mean,
      deviation,
    ]);
    const arrays = [examples.dense, examples.classes, examples.scores, statistics.pooled, ...spreads, weights];
    const scales = 40 * examples.count;
    return arrays.reduce((sum, { byteLength }) => sum + byteLength, scales + (novelty?.triangle.byteLength ?? 0));
  }

  /** @throws LabelerError of kind model-unusable if the features are not of a network like the base. */
  score(features: Features): HeadScores {
    const { statistics, examples, base } = this.data;
    const [found, wanted] = [layoutOf(features), examples.layout];
    if (LAYOUT_NAMES.some((name) => found[name] !== wanted[name])) {
      throw new LabelerError(
        "model-unusable",
        `The head was taught on ${base.name}, whose features are ${shown(wanted)}; here they are ${shown(found)}.`,
      );
    }
    return this.scoreSample(sampleOf(features, statistics));
  }

  scoreSample(sample: Sample): HeadScores {
    const likeness = this.#comparison.with(sample);
    const novelty = this.#noveltyOf(likeness);
    const isUnknown = novelty !== undefined && novelty > (this.data.novelty?.threshold ?? 1);
    return { probabilities: this.#probabilities(likeness), novelty, isUnknown };
  }

  #noveltyOf(likeness: Float64Array): number | undefined {
    const { novelty, examples } = this.data;
    if (novelty === undefined) return undefined;
    const self = selfLikeness(examples.layout);
    return (self - squaredLength(novelty.triangle, likeness)) / self;
  }

  #probabilities(likeness: Float64Array): Float32Array {
    const { weights, bias, temperature } = this.data;
    const scores = Float64Array.from(bias);
    for (let i = 0; i < likeness.length; i++)
      for (let c = 0; c < scores.length; c++) scores[c] += likeness[i] * weights[i * scores.length + c];
    const best = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const powers = scores.map((score) => Math.exp((score - best) * temperature));
    const sum = powers.reduce((a, b) => a + b, 0);
    return Float32Array.from(powers, (power) => power / sum);
  }
}
