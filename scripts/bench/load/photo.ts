/** A photo of 12 megapixels in poor light, for the benchmarks that upload it; made once into .cache with what bench:decode installs. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { installRivals } from "../decode/install.ts";

const PATH = "scripts/bench/.cache/noisy-12mp-1.jpg"; // a new number for new contents

/** With so much of a sensor's noise that its JPEG takes 5 MB. */
function noisy<P extends { readonly data: Uint8Array }>(picture: P): P {
  let seed = 1;
  const noise = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return 8 * (seed / 2 ** 32 - 0.5);
  };
  return { ...picture, data: picture.data.map((value) => Math.max(0, Math.min(255, value + noise()))) };
}

/** A baseline JPEG of 4000 × 3000 pixels and about 5 MB. */
export async function noisyPhoto(): Promise<Uint8Array<ArrayBuffer>> {
  if (!existsSync(PATH)) {
    installRivals();
    // Only now: it encodes with what was just installed.
    const [{ inputs }, { encodeJpeg, readPhoto }] = await Promise.all([
      import("../decode/inputs.ts"),
      import("../rivals/encoders.js"),
    ]);
    const { value: made } = await inputs((format, size) => format === "JPEG" && size === "12 MP").next();
    if (made === undefined) throw new Error("the photo of 12 megapixels was not made");
    writeFileSync(PATH, await encodeJpeg(noisy(readPhoto(made.path)), { quality: 98, progressive: false }));
  }
  return new Uint8Array(readFileSync(PATH));
}
