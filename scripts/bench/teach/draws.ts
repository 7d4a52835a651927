/** The draws of found/teach/linear_probe.py: so many photos of each class, and all others or those of `val` to ask for. */
import type { NumpyRandom } from "./numpy-random.ts";

export interface Draw {
  readonly taught: readonly number[];
  readonly asked: readonly number[];
}

/** How many photos a class are taught. */
export const SIZES = [1, 5, 10, 20, 50, 100] as const;
export const DRAWS = 20;

/** Of a set without `val`, so many photos of each class at least are left to ask for. */
const LEFT = 20;

/**
 * @param photos Their classes, and which are never taught.
 * @returns The draws of one size; none where a class has too few photos.
 */
export function drawsOf(
  photos: readonly { readonly class: number; readonly held: boolean }[],
  classCount: number,
  size: number,
  random: NumpyRandom,
): Draw[] {
  const places = photos.map((_, i) => i);
  const hasHeld = photos.some(({ held }) => held);
  const pools = Array.from({ length: classCount }, (_, index) =>
    places.filter((i) => photos[i]?.class === index && photos[i]?.held === false),
  );
  const smallest = Math.min(...pools.map(({ length }) => length));
  if (size > smallest - (hasHeld ? 0 : LEFT)) return [];
  return Array.from({ length: DRAWS }, () => {
    const taught = pools.flatMap((pool) => random.choose(pool, size));
    const chosen = new Set(taught);
    return { taught, asked: places.filter((i) => (hasHeld ? photos[i]?.held : !chosen.has(i))) };
  });
}
