/** Which decoders bench:decode compares, and what each is given to run in workerd. */
import type { Kind } from "./inputs.ts";

export interface Engine {
  /** A file of rivals/ without its extension. */
  readonly file: string;
  /** How the table calls it. */
  readonly name: string;
  readonly ours?: boolean;
  /** A process of its own, without workerd. */
  readonly native?: boolean;
  /** It needs Node's Buffer or zlib: the flag nodejs_compat. */
  readonly node?: boolean;
  /** As published it does not start in workerd; bundle.ts or its file in rivals/ fixes that. */
  readonly adapted?: boolean;
}

const OURS: Engine = { file: "ours", name: "ours, to 224×224", ours: true };
/** What the pixels are compared with, and no rival: it is native and does not run in workerd. */
const PILLOW: Engine = { file: "pillow", name: "Pillow, native, to 224×224", native: true };
const PHOTON: Engine = { file: "cf-wasm-photon", name: "@cf-wasm/photon" };

const ENGINES: Readonly<Record<Kind, readonly Engine[]>> = {
  jpeg: [
    OURS,
    { file: "ours-full", name: "ours, to 224×224 at full scale", ours: true },
    PILLOW,
    { file: "jsquash-jpeg", name: "@jsquash/jpeg" },
    { file: "jpeg-js", name: "jpeg-js" },
    { file: "cwasm-jpeg-turbo", name: "@cwasm/jpeg-turbo", adapted: true },
    { file: "cornerstone-jpeg", name: "@cornerstonejs/codec-libjpeg-turbo-8bit", adapted: true },
    { file: "icodec-jpeg", name: "icodec" },
    PHOTON,
  ],
  png: [
    OURS,
    { file: "upng-js", name: "upng-js" },
    { file: "fast-png", name: "fast-png" },
    { file: "jsquash-png", name: "@jsquash/png" },
    { file: "pngjs", name: "pngjs", node: true },
    { file: "cwasm-lodepng", name: "@cwasm/lodepng", adapted: true },
    { file: "icodec-png", name: "icodec" },
    { file: "cf-wasm-png", name: "@cf-wasm/png" },
    PHOTON,
  ],
  webp: [
    OURS,
    { file: "jsquash-webp", name: "@jsquash/webp" },
    { file: "cwasm-webp", name: "@cwasm/webp", adapted: true },
    { file: "icodec-webp", name: "icodec" },
    PHOTON,
  ],
  gif: [
    OURS,
    { file: "omggif", name: "omggif" },
    { file: "gifuct-js", name: "gifuct-js" },
    { file: "cwasm-nsgif", name: "@cwasm/nsgif", adapted: true },
    PHOTON,
  ],
  bmp: [
    OURS,
    { file: "bmp-js", name: "bmp-js", node: true },
    { file: "bmp-ts", name: "bmp-ts", node: true },
    { file: "fast-bmp", name: "fast-bmp" },
    { file: "cwasm-nsbmp", name: "@cwasm/nsbmp", adapted: true },
    PHOTON,
  ],
};

export const enginesFor = (kind: Kind): readonly Engine[] => ENGINES[kind];
