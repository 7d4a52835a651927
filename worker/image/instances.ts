/**
 * The instances of codecs.wasm of an isolate, and how much memory each may take. A wasm memory never shrinks and the
 * garbage collector takes little notice of it, so instances are used again, and kept of two kinds: small ones, which all
 * that streams gets along with, and a single large one for the images that have to be buffered.
 */
import { Slots } from "../slots.ts";
import { Codec } from "./codecs.ts";

export type Kind = "small" | "large";

const MB = 1 << 20;

/** The isolate's 128 MB are shared with the model, its activations and the JS heap. */
export const MEMORY: Readonly<Record<Kind, number>> = { small: 4 * MB, large: 40 * MB };

const slots: Readonly<Record<Kind, Slots>> = {
  small: new Slots({ count: 8, lease: 10_000, patience: 10_000, what: "decoding" }),
  large: new Slots({ count: 1, lease: 10_000, patience: 10_000, what: "decoding images that must be buffered whole" }),
};

const idle: Readonly<Record<Kind, Codec[]>> = { small: [], large: [] };

/**
 * Lends an instance for one image.
 *
 * @param work `alive` is to be called whenever a piece of the image has come.
 * @throws LabelerError of kind busy, or too-slow from `alive`; and whatever `work` throws.
 */
export async function withCodec<T>(kind: Kind, work: (codec: Codec, alive: () => void) => Promise<T>): Promise<T> {
  const lease = await slots[kind].acquire();
  const codec = idle[kind].pop() ?? new Codec();
  let lost = false;
  try {
    return await work(codec, () => {
      lost = true; // if renewing throws, the slot is another's, who has an instance of its own
      lease.renew();
      lost = false;
    });
  } finally {
    lease.release();
    if (codec.usable && !lost) idle[kind].push(codec);
  }
}

/** What the idle instances occupy, in bytes. */
export const idleMemory = (): number =>
  [...idle.small, ...idle.large].reduce((sum, codec) => sum + codec.memoryBytes, 0);
