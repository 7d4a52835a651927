/** A fixed scene that tests draw themselves: a gate on the left and two parking bays on the right, in varying light. */

export const GATES = ["closed", "half", "open"] as const;
export type Gate = (typeof GATES)[number];

export interface Scene {
  readonly gate: Gate;
  /** Whether something stands in each bay. */
  readonly bays: readonly [boolean, boolean];
  /** The colour of what covers the camera. */
  readonly cover?: Rgb;
  /** Anything else that varies: light, colours, noise. */
  readonly seed: number;
}

type Rgb = readonly [red: number, green: number, blue: number];

const [WIDTH, HEIGHT] = [128, 64];

/** Where things are, as model.json has it: fractions of the picture. */
export const PLACES = { gate: "0,0,0.5,1", bay1: "0.5,0,0.75,1", bay2: "0.75,0,1,1" } as const;

/** Where the gate is; the rest of its half is lawn. Fractions of the picture. */
type Box = readonly [left: number, top: number, right: number, bottom: number];
const GATE_BOX: Box = [0, 0, 0.5, 1];

/** Numbers 0..1 that a seed determines (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b9);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How far down the bars of the gate reach. */
const REACH: Readonly<Record<Gate, number>> = { closed: 1, half: 0.5, open: 0.08 };

function colourAt(x: number, y: number, { gate, bays, cover }: Scene, cars: readonly Rgb[], box: Box): Rgb {
  if (cover !== undefined) return cover;
  const [left, top, right, bottom] = box;
  const [inX, inY] = [(x - left) / (right - left), (y - top) / (bottom - top)];
  if (inX >= 0 && inX < 1 && inY >= 0 && inY < 1) {
    if (inY < REACH[gate] && Math.floor(inX * 16) % 2 === 0) return [25, 25, 30];
    return inY < 0.4 ? [150, 190, 230] : [110, 140, 80];
  }
  if (x < 0.5) return [90, 130, 70];
  const bay = x < 0.75 ? 0 : 1;
  const [across, down] = [(x - (bay === 0 ? 0.5 : 0.75)) * 4, y];
  if (bays[bay] && across > 0.15 && across < 0.85 && down > 0.2 && down < 0.85) {
    return down < 0.45 ? [40, 50, 60] : (cars[bay] ?? [0, 0, 0]);
  }
  return across < 0.06 || across > 0.94 ? [235, 235, 235] : [120, 120, 125];
}

/** Draws the scene. @param box Where the gate is. @returns A BMP file. */
export function drawScene(scene: Scene, box = GATE_BOX): Buffer<ArrayBuffer> {
  const random = randomFrom(scene.seed);
  const light = 0.75 + 0.45 * random();
  const cars = [0, 1].map((): Rgb => [255 * random(), 255 * random(), 255 * random()]);
  const bmp = Buffer.alloc(54 + 3 * WIDTH * HEIGHT);
  bmp.write("BM");
  bmp.writeUInt32LE(bmp.length, 2);
  bmp.writeUInt32LE(54, 10);
  bmp.writeUInt32LE(40, 14);
  bmp.writeInt32LE(WIDTH, 18);
  bmp.writeInt32LE(-HEIGHT, 22); // the top row first
  bmp.writeUInt16LE(1, 26);
  bmp.writeUInt16LE(24, 28);
  for (let y = 0, at = 54; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++, at += 3) {
      const colour = colourAt((x + 0.5) / WIDTH, (y + 0.5) / HEIGHT, scene, cars, box);
      const noise = 24 * (random() - 0.5);
      for (const [channel, value] of colour.entries()) {
        bmp[at + 2 - channel] = Math.min(255, Math.max(0, light * value + noise));
      }
    }
  }
  return bmp;
}

/** Different scenes, in which every state occurs in no order that repeats. */
export function scenes(count: number, firstSeed: number): Scene[] {
  return Array.from({ length: count }, (_, i) => {
    const random = randomFrom(7919 * (firstSeed + i));
    const gate = GATES[Math.floor(random() * GATES.length)] ?? "open";
    return { gate, bays: [random() < 0.5, random() < 0.5], seed: firstSeed + i };
  });
}
