/** What is known of a head by leaving out each of its photos in turn: how often it is right, and which photos stand out. */
import type { Taught } from "../../../../worker/teaching/teach.ts";

export interface LeftOut {
  /** Of the photo. */
  readonly place: number;
  readonly truth: number;
  readonly answer: number;
  /** Of the answer, and of the photo's class. */
  readonly confidence: number;
  readonly own: number;
}

export interface Judgement {
  readonly photos: readonly LeftOut[];
  /** Shots that are recognised and that there are: photos of one shot count as one. */
  readonly right: number;
  readonly shots: number;
  /** Rows are classes, columns are answers, by photos. */
  readonly confusion: readonly (readonly number[])[];
  /** Groups of photos of one shot, where there are several. */
  readonly alike: readonly (readonly number[])[];
}

/** What each photo would be called if it had not been taught. */
function leftOutOf({ task, ridge }: Taught): LeftOut[] {
  const { classes, classCount } = task;
  return classes.map((truth, place) => {
    const scores = ridge.leftOut.subarray(place * classCount, (place + 1) * classCount);
    const best = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const powers = scores.map((score) => Math.exp((score - best) * ridge.temperature));
    const sum = powers.reduce((a, b) => a + b, 0);
    const answer = scores.indexOf(best);
    return { place, truth, answer, confidence: (powers[answer] ?? 0) / sum, own: (powers[truth] ?? 0) / sum };
  });
}

export function judge(taught: Taught): Judgement {
  const { groups, classCount } = taught.task;
  const photos = leftOutOf(taught);
  const confusion = Array.from({ length: classCount }, () => new Array<number>(classCount).fill(0));
  for (const { truth, answer } of photos) {
    const row = confusion[truth];
    if (row !== undefined) row[answer] = (row[answer] ?? 0) + 1;
  }
  const shares = groups.map((group) => {
    return group.filter((place) => photos[place]?.answer === photos[place]?.truth).length / group.length;
  });
  return {
    photos,
    right: shares.reduce((sum, share) => sum + share, 0),
    shots: groups.length,
    confusion,
    alike: groups.filter((group) => group.length > 1),
  };
}

/** The interval that a share of `total` lies in with 95 % confidence (Wilson, 1927). */
export function interval(right: number, total: number): readonly [low: number, high: number] {
  const z = 1.96;
  const share = right / total;
  const middle = share + z ** 2 / (2 * total);
  const spread = z * Math.sqrt((share * (1 - share)) / total + z ** 2 / (4 * total ** 2));
  const whole = 1 + z ** 2 / total;
  return [Math.max(0, (middle - spread) / whole), Math.min(1, (middle + spread) / whole)];
}
