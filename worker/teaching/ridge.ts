/**
 * Kernel ridge regression onto classes, whose strength and temperature are chosen by leave-one-out: what each photo would
 * score if it had not been taught is known in closed form. Photos of one shot are left out together, and count as one.
 */
import { Inverse, withRidge } from "./matrices.ts";

export interface Task {
  /** How alike every two photos are: [photos, photos]. */
  readonly likeness: Float64Array;
  /** The class of each photo. */
  readonly classes: readonly number[];
  readonly classCount: number;
  /** Photos that belong together, by their places; every photo is in one group. */
  readonly groups: readonly (readonly number[])[];
}

export interface Ridge {
  /** What each photo adds to each class for its likeness: [photos, classes]. */
  readonly weights: Float64Array;
  /** What each class has from the start: [classes]. */
  readonly bias: Float64Array;
  readonly strength: number;
  /** Probabilities are the softmax of scores times this. */
  readonly temperature: number;
  /** What each photo scores that was left out: [photos, classes]. */
  readonly leftOut: Float64Array;
}

const STRENGTHS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10] as const;
/** The strength if each class has one photo: then no photo can be left out to choose it. */
const LONE_STRENGTH = 1;

/** Temperatures that are tried: e^0 to e^4.1. */
const TEMPERATURES = Float64Array.from({ length: 42 }, (_, i) => Math.exp(i / 10));
/** The logarithm of the temperature is expected here, within this deviation: it is nearly the same for most tasks. */
const USUAL = { mean: Math.log(10), deviation: 0.3 } as const;

/** The smallest class, counted in groups. */
export function smallestClass({ classes, classCount, groups }: Task): number {
  const counts = new Array<number>(classCount).fill(0);
  for (const [first] of groups) counts[classes[first ?? 0] ?? 0] = (counts[classes[first ?? 0] ?? 0] ?? 0) + 1;
  return Math.min(...counts);
}

/** K − row means − column means + mean of all. @param rowMeans Of K. */
function centre(likeness: Float64Array, rowMeans: Float64Array): Float64Array {
  const count = rowMeans.length;
  const mean = rowMeans.reduce((sum, value) => sum + value, 0) / count;
  const centred = new Float64Array(likeness.length);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < count; j++) centred[i * count + j] = likeness[i * count + j] - rowMeans[i] - rowMeans[j] + mean;
  return centred;
}

/** R − shares: 1 for each photo's class, less the share that each class has of all photos. */
function targetsOf({ classes, classCount }: Task, shares: Float64Array): Float64Array {
  const targets = new Float64Array(classes.length * classCount);
  for (const [i, own] of classes.entries())
    for (let c = 0; c < classCount; c++) targets[i * classCount + c] = Number(c === own) - shares[c];
  return targets;
}

/**
 * From residuals to what they would be if the photos' groups had not been taught: the solution x of (I − H) x = e for each
 * group, I − H being strength · A − 1/n.
 */
function leaveOut(residuals: Float64Array, inverse: Inverse, strength: number, { groups, classCount }: Task): void {
  const count = inverse.size;
  const diagonal = inverse.diagonal();
  for (const group of groups) {
    const [i = 0] = group;
    if (group.length > 1) {
      leaveOutGroup(residuals, inverse.part(group), strength, { group, count, classCount });
      continue;
    }
    const rest = Math.max(strength * diagonal[i] - 1 / count, 1e-6);
    for (let c = 0; c < classCount; c++) residuals[i * classCount + c] /= rest;
  }
}

/** @param part Of the inverse, for the photos of the group. */
function leaveOutGroup(
  residuals: Float64Array,
  part: Float64Array,
  strength: number,
  { group, count, classCount }: { group: readonly number[]; count: number; classCount: number },
): void {
  const size = group.length;
  const matrix = part.map((value) => strength * value - 1 / count);
  // The matrix has no inverse where the group is all photos of the task.
  const solved = new Inverse(withRidge(matrix, size, 1e-9), size);
  const before = new Float64Array(size * classCount);
  for (const [row, i] of group.entries())
    before.set(residuals.subarray(i * classCount, (i + 1) * classCount), row * classCount);
  const after = solved.times(before, classCount);
  for (const [row, i] of group.entries())
    residuals.set(after.subarray(row * classCount, (row + 1) * classCount), i * classCount);
}

/** The sum of the log-losses of left-out photos at each temperature; a group counts as one photo. */
function lossesOf(leftOut: Float64Array, { classes, classCount, groups }: Task): Float64Array {
  const losses = new Float64Array(TEMPERATURES.length);
  for (const group of groups) {
    for (const i of group) {
      const scores = leftOut.subarray(i * classCount, (i + 1) * classCount);
      const best = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const own = scores[classes[i]] - best;
      for (let t = 0; t < losses.length; t++) {
        let sum = 0;
        for (let c = 0; c < classCount; c++) sum += Math.exp((scores[c] - best) * TEMPERATURES[t]);
        losses[t] += (Math.log(sum) - own * TEMPERATURES[t]) / group.length;
      }
    }
  }
  return losses;
}

const leastOf = (values: Float64Array): number => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);

/** The temperature of the least loss, weighed against the usual one: the fewer the photos, the more this counts. */
function temperatureOf(losses: Float64Array, smallest: number): number {
  const trust = smallest > 1 ? (smallest - 1) / (smallest + 3) : 0;
  const costs = losses.map((loss, t) => {
    const away = (Math.log(TEMPERATURES[t]) - USUAL.mean) / USUAL.deviation;
    return trust * loss + away ** 2 / 2;
  });
  return TEMPERATURES[costs.indexOf(leastOf(costs))];
}

/** The share of each class in the photos. */
function sharesOf({ classes, classCount }: Task): Float64Array {
  const shares = new Float64Array(classCount);
  for (const index of classes) shares[index] += 1 / classes.length;
  return shares;
}

/** Teaches the classes of photos by how alike they are. The same task gives the same result, to the last bit. */
export function teachRidge(task: Task): Ridge {
  const { likeness, classes, classCount } = task;
  const count = classes.length;
  const smallest = smallestClass(task);
  const shares = sharesOf(task);
  const rowMeans = Float64Array.from(classes, (_, i) => {
    let sum = 0;
    for (let j = 0; j < count; j++) sum += likeness[i * count + j];
    return sum / count;
  });
  const centred = centre(likeness, rowMeans);
  const targets = targetsOf(task, shares);
  let best: { strength: number; weights: Float64Array; leftOut: Float64Array; losses: Float64Array } | undefined;
  for (const strength of smallest > 1 ? STRENGTHS : [LONE_STRENGTH]) {
    const inverse = new Inverse(withRidge(centred, count, strength), count);
    const weights = inverse.times(targets, classCount);
    const leftOut = weights.map((weight) => strength * weight);
    leaveOut(leftOut, inverse, strength, task);
    for (let i = 0; i < count; i++)
      for (let c = 0; c < classCount; c++)
        leftOut[i * classCount + c] = Number(classes[i] === c) - leftOut[i * classCount + c];
    const losses = lossesOf(leftOut, task);
    if (best === undefined || leastOf(losses) < leastOf(best.losses)) best = { strength, weights, leftOut, losses };
  }
  if (best === undefined) throw new Error("no strength was tried");
  const { weights, strength, leftOut, losses } = best;
  // The weights of a class sum to 0, so that of the centring of a likeness only the photos' own means are left.
  const bias = shares.map((share, c) =>
    rowMeans.reduce((sum, mean, i) => sum - mean * weights[i * classCount + c], share),
  );
  return { weights, bias, strength, leftOut, temperature: temperatureOf(losses, smallest) };
}
