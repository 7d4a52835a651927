/**
 * Finds photos of one shot: frames of a burst, or copies of a file in another size. They say no more than one photo, and
 * one of them must not vouch for another when it is asked how well a head recognises photos that it was not taught.
 */

/** Photos of one shot differ by less than this share of what two photos differ that have nothing in common. */
const NEAR = 0.03;

/**
 * And by less than this share of what two photos of their class usually differ. Photos of a fixed camera are all near each
 * other, and are not one shot for that reason.
 */
const UNUSUAL = 0.25;

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** The places of each class's photos. */
function placesOf(classes: ArrayLike<number>): number[][] {
  const places: number[][] = [];
  for (let i = 0; i < classes.length; i++) {
    const own = places[classes[i]] ?? [];
    own.push(i);
    places[classes[i]] = own;
  }
  return places.filter((own) => own !== undefined);
}

/**
 * Groups photos of the same class by shot.
 *
 * @param likeness Of every two photos: [photos, photos].
 * @param self How alike a photo is to itself.
 * @returns The places of photos, each in one group.
 */
export function groupShots(likeness: Float64Array, classes: ArrayLike<number>, self: number): number[][] {
  const count = classes.length;
  const between = (a: number, b: number) => self - likeness[a * count + b];
  return placesOf(classes).flatMap((places) => {
    const pairs = places.flatMap((a, i) => places.slice(0, i).map((b) => between(a, b)));
    const bound = Math.min(NEAR * self, UNUSUAL * median(pairs));
    const groups: number[][] = [];
    for (const place of places) {
      const own = groups.find(([first = 0]) => between(first, place) < bound);
      if (own === undefined) groups.push([place]);
      else own.push(place);
    }
    return groups;
  });
}
