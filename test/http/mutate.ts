/** Damaged files. */

/** @param below An integer below its argument. */
export function mutate(original: Uint8Array, below: (n: number) => number): Uint8Array<ArrayBuffer> {
  const file = Uint8Array.from(original);
  // Damage to headers is what readers fear most: half of it goes there.
  const place = () => (below(2) ? below(Math.min(file.length, 600)) : below(file.length));
  for (let n = 1 + below(8); n > 0; n--) {
    const at = place();
    const kind = below(6);
    if (kind < 3) file[at] = below(256);
    else if (kind === 3) file[at] ^= 1 << below(8);
    else if (kind === 4) file.fill(below(2) ? 0 : 255, at, at + 1 + below(64));
    else file.copyWithin(at, below(file.length), below(file.length));
  }
  return below(8) ? file : file.slice(0, place());
}
