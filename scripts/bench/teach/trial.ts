/** One draw of a set: teaches a head with some of its photos, asks it for the others, and the plain probe likewise. */
import { chooseExamples, type Examples } from "../../../worker/teaching/examples.ts";
import { Head } from "../../../worker/teaching/head.ts";
import type { Sample } from "../../../worker/teaching/sample.ts";
import type { BaseStatistics } from "../../../worker/teaching/statistics.ts";
import { teachHead } from "../../../worker/teaching/teach.ts";
import { teachProbe } from "./probe.ts";

/** The photos of a set, in the forms in which they are taught. */
export interface Prepared {
  readonly labels: readonly string[];
  readonly classes: readonly number[];
  readonly examples: Examples;
  readonly samples: readonly Sample[];
  /** Pooled features at length 1. */
  readonly pooled: readonly Float64Array[];
  readonly statistics: BaseStatistics;
}

export interface Trial {
  /** The shares of photos that are recognised. */
  readonly probe: number;
  readonly head: number;
  /** The expected calibration error in 15 bins. */
  readonly calibration: number;
  /** Of photos of taught classes, the share that is called unknown; undefined where that is not known. */
  readonly falseUnknown: number | undefined;
  /** The same for each group of other photos. */
  readonly foundUnknown: readonly (number | undefined)[];
}

const BINS = 15;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function calibrationError(confidences: readonly number[], right: readonly boolean[]): number {
  const bins = Array.from({ length: BINS }, () => ({ count: 0, confidence: 0, right: 0 }));
  for (const [i, confidence] of confidences.entries()) {
    const bin = bins[Math.min(BINS - 1, Math.floor(confidence * BINS))];
    if (bin === undefined) continue;
    bin.count++;
    bin.confidence += confidence;
    bin.right += Number(right[i]);
  }
  return bins.reduce((sum, bin) => sum + Math.abs(bin.confidence - bin.right), 0) / confidences.length;
}

/**
 * @param taught The places of the photos that are taught.
 * @param asked Those of the photos that are asked for.
 * @param others Groups of photos of no class of the set; undefined for one that is not asked for.
 */
export function runTrial(
  { labels, classes, examples, samples, pooled, statistics }: Prepared,
  taught: readonly number[],
  asked: readonly number[],
  others: readonly (readonly Sample[] | undefined)[],
): Trial {
  const own = taught.map((i) => classes[i] ?? 0);
  const { head } = teachHead({
    base: { name: "base", sha256: "", precision: "", crop: "" },
    labels,
    statistics,
    examples: chooseExamples(examples, taught),
    classes: Uint16Array.from(own),
    digests: new Uint8Array(32 * taught.length),
  });
  const judge = new Head(head);
  const probe = teachProbe(
    taught.map((i) => pooled[i] as Float64Array),
    own,
    labels.length,
  );
  const scores = asked.map((i) => judge.scoreSample(samples[i] as Sample));
  const confidences = scores.map(({ probabilities }) => Math.max(...probabilities));
  const right = scores.map(({ probabilities }, at) => {
    return probabilities.indexOf(confidences[at] ?? 0) === classes[asked[at] ?? 0];
  });
  const knows = head.novelty !== undefined;
  return {
    probe: mean(asked.map((i) => Number(probe(pooled[i] as Float64Array) === classes[i]))),
    head: mean(right.map(Number)),
    calibration: calibrationError(confidences, right),
    falseUnknown: knows ? mean(scores.map(({ isUnknown }) => Number(isUnknown))) : undefined,
    foundUnknown: others.map((photos) =>
      knows && photos !== undefined && photos.length > 0
        ? mean(photos.map((one) => Number(judge.scoreSample(one).isUnknown)))
        : undefined,
    ),
  };
}
