/** Whether workerd's memory grows: a straight line through its samples, by least squares, within each life of a process. */

export interface Sample {
  /** Of the process. */
  readonly life: number;
  /** Since that process answers, in seconds. */
  readonly age: number;
  /** Resident memory, in MB. */
  readonly mb: number;
}

export interface Slope {
  /** In MB a minute. */
  readonly perMinute: number;
  /** Its standard error, in MB a minute. */
  readonly error: number;
  /** How many means it was made of. */
  readonly points: number;
}

/** A process that begins takes memory for code, models and decoders: not a leak. In seconds. */
const WARM_UP = 20;
/** Samples that follow each other are alike: means over so many seconds are less so. */
const BLOCK = 5;

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Means over blocks of time, without the warm-up and without a block that is not whole. */
function blocksOf(samples: readonly Sample[]): Sample[] {
  const blocks = new Map<string, Sample[]>();
  for (const sample of samples) {
    if (sample.age < WARM_UP) continue;
    const key = `${sample.life} ${Math.floor(sample.age / BLOCK)}`;
    blocks.set(key, [...(blocks.get(key) ?? []), sample]);
  }
  return [...blocks.values()].map((block) => ({
    life: block[0].life,
    age: mean(block.map(({ age }) => age)),
    mb: mean(block.map(({ mb }) => mb)),
  }));
}

/** One slope for all lives, each of which begins at a level of its own. Undefined where there are too few samples. */
export function slopeOf(samples: readonly Sample[]): Slope | undefined {
  const blocks = blocksOf(samples);
  const lives = [...new Set(blocks.map(({ life }) => life))];
  const centred = lives.flatMap((life) => {
    const own = blocks.filter((block) => block.life === life);
    const [age, mb] = [mean(own.map(({ age }) => age)), mean(own.map(({ mb }) => mb))];
    return own.map((block) => ({ x: (block.age - age) / 60, y: block.mb - mb }));
  });
  const freedom = centred.length - lives.length - 1;
  const spread = centred.reduce((sum, { x }) => sum + x * x, 0);
  if (freedom < 1 || spread === 0) return undefined;
  const perMinute = centred.reduce((sum, { x, y }) => sum + x * y, 0) / spread;
  const residual = centred.reduce((sum, { x, y }) => sum + (y - perMinute * x) ** 2, 0);
  return { perMinute, error: Math.sqrt(residual / freedom / spread), points: centred.length };
}

/** So much is no leak, in MB a minute: what V8 leaves to its next collection differs by more from one minute to the next. */
const TOLERATED = 10;

/** Whether a slope is more than noise: above three of its standard errors, and above what is tolerated. */
export const grows = ({ perMinute, error }: Slope): boolean => perMinute > Math.max(TOLERATED, 3 * error);
