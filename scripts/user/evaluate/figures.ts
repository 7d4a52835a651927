/** Computes the figures of a run over images of known class from the labeler's answers. */
import type { Answer } from "../label/answers.ts";

/** The correct labels of a run's images, and the labeler's answers, in the same order. */
export interface Run {
  readonly truths: readonly string[];
  readonly answers: readonly Answer[];
  readonly seconds: number;
}

/** How often the top-1 label is that of another run. */
export interface Agreement {
  /** The number of images for which the other run is sure, and for how many of these the two agree. */
  readonly images: number;
  readonly equal: number;
  readonly confident: number;
  readonly confidentEqual: number;
}

export interface Figures {
  /** The images that were labelled. */
  readonly images: number;
  readonly top1: number;
  readonly top5: number;
  readonly imagesPerSecond: number;
}

/** Above this confidence, `fast` must never have another label than `exact`. */
const SURE = 0.5;

/**
 * How many of 100 images `fast` must label as `exact` does, and by how many its number of correct labels may be lower.
 */
const BAR = { agreement: 0.99, accuracy: 0.01 };

export function figuresOf({ truths, answers, seconds }: Run): Figures {
  const ranks = answers.flatMap(({ labels }, i) =>
    labels === undefined ? [] : [labels.findIndex(({ label }) => label === truths[i])],
  );
  return {
    images: ranks.length,
    top1: ranks.filter((rank) => rank === 0).length,
    top5: ranks.filter((rank) => rank >= 0 && rank < 5).length,
    imagesPerSecond: answers.length / seconds,
  };
}

export function agreementOf(run: Run, exact: Run): Agreement {
  const pairs = exact.answers.flatMap(({ labels }, i) => {
    const [ours, theirs] = [run.answers[i]?.labels?.[0], labels?.[0]];
    return ours === undefined || theirs === undefined ? [] : [{ equal: ours.label === theirs.label, theirs }];
  });
  const sure = pairs.filter(({ theirs }) => theirs.confidence > SURE);
  return {
    images: pairs.length,
    equal: pairs.filter(({ equal }) => equal).length,
    confident: sure.length,
    confidentEqual: sure.filter(({ equal }) => equal).length,
  };
}

/** Whether a precision is good enough to replace `exact` as a model's default. */
export function passes(
  figures: Figures,
  exact: Figures,
  { images, equal, confident, confidentEqual }: Agreement,
): boolean {
  return (
    images > 0 &&
    equal >= BAR.agreement * images &&
    confidentEqual === confident &&
    exact.top1 - figures.top1 <= BAR.accuracy * images
  );
}
