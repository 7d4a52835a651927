/**
 * Finds photos of one shot: frames of a burst, or copies of a file in another size. They say no more than one photo, and
 * one of them must not vouch for another when it is asked how well a head recognises photos that it was not taught.
 */

/**
 * Photos of one class whose unlikeness is below this share of what two photos have that have nothing in common are of one
 * shot. Copies in another size or compression are at about 0.01, other photos of the same thing rarely below 0.1.
 */
export const SAME_SHOT = 0.03;

/**
 * Groups photos of the same class by shot.
 *
 * @param likeness Of every two photos: [photos, photos].
 * @param self How alike a photo is to itself.
 * @returns The places of photos, each in one group, in their order.
 */
export function groupShots(likeness: Float64Array, classes: ArrayLike<number>, self: number): number[][] {
  const count = classes.length;
  const groups: number[][] = [];
  for (let i = 0; i < count; i++) {
    const own = groups.find(
      ([first = 0]) => classes[first] === classes[i] && likeness[first * count + i] > (1 - SAME_SHOT) * self,
    );
    if (own === undefined) groups.push([i]);
    else own.push(i);
  }
  return groups;
}
