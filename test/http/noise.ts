/** Small photos that tests make themselves: noise around a colour, which a tiny network can be taught to tell apart. */

export type Rgb = readonly [red: number, green: number, blue: number];

export const COLOURS = { red: [210, 40, 40], blue: [40, 60, 210], yellow: [220, 210, 50] } as const;
export type Colour = keyof typeof COLOURS;

/** A BMP of squares side by side, each with noise around a colour. @param side Of a square; a multiple of four. */
export function scene(colours: readonly Rgb[], seed: number, side = 16): Buffer<ArrayBuffer> {
  const width = side * colours.length;
  const bmp = Buffer.alloc(54 + 3 * width * side);
  bmp.write("BM");
  bmp.writeUInt32LE(bmp.length, 2);
  bmp.writeUInt32LE(54, 10);
  bmp.writeUInt32LE(40, 14);
  bmp.writeInt32LE(width, 18);
  bmp.writeInt32LE(side, 22);
  bmp.writeUInt16LE(1, 26);
  bmp.writeUInt16LE(24, 28);
  let state = seed * 7919 + 17;
  const next = () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * 70) - 35;
  };
  for (let i = 54; i < bmp.length; i += 3) {
    const [red = 0, green = 0, blue = 0] = colours[Math.floor((((i - 54) / 3) % width) / side)] ?? [];
    for (const [c, value] of [blue, green, red].entries()) bmp[i + c] = Math.min(255, Math.max(0, value + next()));
  }
  return bmp;
}

/** A BMP of `side` × `side` pixels around a colour. @param side A multiple of four. */
export const noise = (colour: Rgb, seed: number, side = 16): Buffer<ArrayBuffer> => scene([colour], seed, side);
