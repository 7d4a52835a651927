/**
 * The plain probe with which heads are compared: logistic regression on the pooled features, as scikit-learn's
 * LogisticRegression(C=10) computes it. By L-BFGS in the span of the photos, which is exact and needs only their products.
 */

/** As many steps as it may take, and the gradient at which it ends, as in scikit-learn. */
const STEPS = 300;
const TOLERANCE = 1e-4;
const MEMORY = 10;

/** Weights in the span of the photos, [photos, classes], and behind them the intercepts, [classes]. */
type Parameters = Float64Array;

interface Problem {
  /** Products of the photos that are taught: [photos, photos]. */
  readonly products: Float64Array;
  readonly classes: readonly number[];
  readonly classCount: number;
  /** How much a mistake counts against the length of the weights. */
  readonly cost: number;
}

/** A product of parameters as if they were weights of features. @param images G·a of each. */
function inner(a: Parameters, imageOfB: Parameters): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * imageOfB[i];
  return sum;
}

/** G·a for the weights; the intercepts as they are. */
function imageOf({ products, classes, classCount }: Problem, parameters: Parameters): Parameters {
  const count = classes.length;
  const image = new Float64Array(parameters.length);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      const product = products[i * count + j];
      for (let c = 0; c < classCount; c++) image[i * classCount + c] += product * parameters[j * classCount + c];
    }
  }
  image.set(parameters.subarray(count * classCount), count * classCount);
  return image;
}

/** The loss, and its gradient as parameters. @param image Of the parameters. */
function evaluate({ classes, classCount, cost }: Problem, parameters: Parameters, image: Parameters) {
  const count = classes.length;
  const gradient = new Float64Array(parameters.length);
  const intercepts = count * classCount;
  let loss = 0;
  for (let i = 0; i < intercepts; i++) loss += 0.5 * parameters[i] * image[i];
  for (const [i, own] of classes.entries()) {
    const scores = Array.from({ length: classCount }, (_, c) => image[i * classCount + c] + parameters[intercepts + c]);
    const best = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - best));
    const sum = powers.reduce((a, b) => a + b, 0);
    loss += cost * (Math.log(sum) + best - (scores[own] ?? 0));
    for (const [c, power] of powers.entries()) {
      const residual = cost * (power / sum - Number(c === own));
      gradient[i * classCount + c] = parameters[i * classCount + c] + residual;
      gradient[intercepts + c] += residual;
    }
  }
  return { loss, gradient };
}

const scaled = (a: Parameters, factor: number): Parameters => a.map((value) => value * factor);
const added = (a: Parameters, b: Parameters, factor: number): Parameters => a.map((value, i) => value + factor * b[i]);

/** The direction of L-BFGS. @param pairs Steps and changes of the gradient, with the images of both. */
function direction(
  gradient: Parameters,
  pairs: readonly { s: Parameters; y: Parameters; sImage: Parameters; yImage: Parameters; rho: number }[],
): Parameters {
  let q = gradient;
  const alphas = pairs.toReversed().map(({ sImage, y, rho }) => {
    const alpha = rho * inner(q, sImage);
    q = added(q, y, -alpha);
    return alpha;
  });
  const last = pairs.at(-1);
  if (last !== undefined) q = scaled(q, 1 / (last.rho * inner(last.y, last.yImage)));
  for (const [i, { s, yImage, rho }] of pairs.entries()) {
    const beta = rho * inner(q, yImage);
    q = added(q, s, (alphas[alphas.length - 1 - i] ?? 0) - beta);
  }
  return scaled(q, -1);
}

function minimise(problem: Problem): Parameters {
  const count = problem.classes.length;
  let x: Parameters = new Float64Array((count + 1) * problem.classCount);
  let image = imageOf(problem, x);
  let { loss, gradient } = evaluate(problem, x, image);
  let gradientImage = imageOf(problem, gradient);
  const pairs: { s: Parameters; y: Parameters; sImage: Parameters; yImage: Parameters; rho: number }[] = [];
  for (let step = 0; step < STEPS && Math.sqrt(Math.max(0, inner(gradient, gradientImage))) > TOLERANCE; step++) {
    const along = direction(gradient, pairs);
    const slope = inner(along, gradientImage);
    const alongImage = imageOf(problem, along);
    let length = step === 0 ? Math.min(1, 1 / Math.sqrt(inner(along, alongImage))) : 1;
    for (let tries = 0; tries < 30; tries++, length /= 2) {
      const next = evaluate(problem, added(x, along, length), added(image, alongImage, length));
      if (next.loss > loss + 1e-4 * length * slope) continue;
      const [s, sImage] = [scaled(along, length), scaled(alongImage, length)];
      const nextImage = imageOf(problem, next.gradient);
      const [y, yImage] = [added(next.gradient, gradient, -1), added(nextImage, gradientImage, -1)];
      const curvature = inner(s, yImage);
      if (curvature > 1e-12) pairs.push({ s, y, sImage, yImage, rho: 1 / curvature });
      if (pairs.length > MEMORY) pairs.shift();
      x = added(x, s, 1);
      image = added(image, sImage, 1);
      ({ loss, gradient } = next);
      gradientImage = nextImage;
      break;
    }
  }
  return x;
}

const product = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

/**
 * Teaches the probe.
 *
 * @param taught Pooled features at length 1.
 * @returns A function that gives the class of a photo.
 */
export function teachProbe(
  taught: readonly Float64Array[],
  classes: readonly number[],
  classCount: number,
  C = 10,
): (photo: Float64Array) => number {
  const count = taught.length;
  const products = new Float64Array(count * count);
  for (const [i, a] of taught.entries()) for (const [j, b] of taught.entries()) products[i * count + j] = product(a, b);
  // Of two classes scikit-learn has one vector of weights; two that mirror each other are each half as long.
  const x = minimise({ products, classes, classCount, cost: classCount === 2 ? C / 2 : C });
  return (photo) => {
    const scores = x.slice(count * classCount);
    for (const [i, one] of taught.entries()) {
      const likeness = product(one, photo);
      for (let c = 0; c < classCount; c++) scores[c] += likeness * x[i * classCount + c];
    }
    return scores.indexOf(Math.max(...scores));
  };
}
