/** Tests whether memory grows: fits a straight line to its samples by least squares. */

export interface Sample {
  /** Seconds since the soak began. */
  readonly age: number;
  readonly mb: number;
}

export interface Slope {
  /** In MB per minute. */
  readonly perMinute: number;
  /** Its standard error, in MB per minute. */
  readonly error: number;
}

/** The first part of a soak, in which a process takes memory for code, models and decoders without leaking it. */
const WARM_UP = 1 / 3;

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The slope after the warm-up; undefined if there are too few samples. */
export function slopeOf(samples: readonly Sample[]): Slope | undefined {
  const end = samples.at(-1)?.age ?? 0;
  const late = samples.filter(({ age }) => age >= WARM_UP * end);
  const [age, mb] = [mean(late.map((sample) => sample.age)), mean(late.map((sample) => sample.mb))];
  const centred = late.map((sample) => ({ x: (sample.age - age) / 60, y: sample.mb - mb }));
  const spread = centred.reduce((sum, { x }) => sum + x * x, 0);
  if (centred.length < 5 || spread === 0) return undefined;
  const perMinute = centred.reduce((sum, { x, y }) => sum + x * y, 0) / spread;
  const residual = centred.reduce((sum, { x, y }) => sum + (y - perMinute * x) ** 2, 0);
  return { perMinute, error: Math.sqrt(residual / (centred.length - 2) / spread) };
}

/**
 * @param tolerated A growth in MB per minute that does not count as a leak.
 * @returns Whether the slope exceeds it, and the noise.
 */
export const grows = ({ perMinute, error }: Slope, tolerated: number): boolean =>
  perMinute > Math.max(tolerated, 3 * error);

export const slopeText = (slope: Slope | undefined): string =>
  slope === undefined
    ? "too few samples for its growth"
    : `${slope.perMinute.toFixed(1)} ± ${slope.error.toFixed(1)} MB a minute after warm-up`;
