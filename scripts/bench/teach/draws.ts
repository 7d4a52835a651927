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

type Photos = readonly { readonly class: number; readonly held: boolean }[];

/** The places of the photos of each class that may be taught. */
function poolsOf(photos: Photos, classCount: number): number[][] {
  const places = photos.map((_, i) => i);
  return Array.from({ length: classCount }, (_, index) =>
    places.filter((i) => photos[i]?.class === index && photos[i]?.held === false),
  );
}

/** @returns Which class has too few photos for any draw, in words; undefined if none has. */
export function tooFewPhotos(photos: Photos, labels: readonly string[]): string | undefined {
  const counts = poolsOf(photos, labels.length).map(({ length }) => length);
  const least = photos.some(({ held }) => held) ? 1 : 1 + LEFT;
  const smallest = counts.indexOf(Math.min(...counts));
  const count = counts[smallest] ?? 0;
  if (count >= least) return undefined;
  const needed = least === 1 ? "one to teach" : `${least}: one to teach, and ${LEFT} to ask, since there is no val/`;
  return `the class "${labels[smallest]}" has ${count} photos to teach that can be read, and needs ${needed}`;
}

/**
 * @param photos Their classes, and which are never taught.
 * @returns The draws of one size; none where a class has too few photos.
 */
export function drawsOf(photos: Photos, classCount: number, size: number, random: NumpyRandom): Draw[] {
  const places = photos.map((_, i) => i);
  const hasHeld = photos.some(({ held }) => held);
  const pools = poolsOf(photos, classCount);
  const smallest = Math.min(...pools.map(({ length }) => length));
  if (size > smallest - (hasHeld ? 0 : LEFT)) return [];
  return Array.from({ length: DRAWS }, () => {
    const taught = pools.flatMap((pool) => random.choose(pool, size));
    const chosen = new Set(taught);
    return { taught, asked: places.filter((i) => (hasHeld ? photos[i]?.held : !chosen.has(i))) };
  });
}
