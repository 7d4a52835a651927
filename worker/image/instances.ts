/**
 * The instances of codecs.wasm of an isolate, and how much memory each may take. A wasm memory never shrinks and the
 * garbage collector takes little notice of it, so instances are used again, and kept of two kinds: small ones, which all
 * that streams gets along with, and a single large one for the images that have to be buffered.
 */
import { type AcquireOptions, Semaphore } from "../runtime/semaphore.ts";
import { Codec } from "./codecs.ts";

export type Kind = "small" | "large";

const MB = 1 << 20;

/** The isolate's 128 MB are shared with the model, its activations and the JS heap. */
export const MEMORY: Readonly<Record<Kind, number>> = { small: 4 * MB, large: 40 * MB };

/** How long an image waits for an instance, in milliseconds. */
const PATIENCE = 10_000;

const semaphores: Readonly<Record<Kind, Semaphore>> = {
  small: new Semaphore({ capacity: 11, patience: PATIENCE, resource: "slots for decoding" }),
  large: new Semaphore({
    capacity: 1,
    patience: PATIENCE,
    resource: "slots for decoding images that must be buffered whole",
  }),
};

const idle: Readonly<Record<Kind, Codec[]>> = { small: [], large: [] };

/**
 * Lends an instance for one image.
 *
 * @param work `holds` says whether the instance is still lent to it: it must not be used any more if not.
 * @param request Whose image it is.
 * @throws LabelerError of kind busy; and whatever `work` throws.
 */
export async function withCodec<T>(
  kind: Kind,
  work: (codec: Codec, holds: () => boolean) => Promise<T>,
  request: AcquireOptions = {},
): Promise<T> {
  const lease = await semaphores[kind].acquire(request);
  const codec = idle[kind].pop() ?? new Codec();
  const giveBack = () => {
    lease.release();
    if (codec.usable) idle[kind].push(codec);
  };
  // A request whose client has gone ends without coming to its end.
  request.signal?.addEventListener("abort", giveBack, { once: true });
  try {
    return await work(codec, lease.holds);
  } finally {
    request.signal?.removeEventListener("abort", giveBack);
    // Whoever took the lease away meanwhile has an instance of its own; this one is in an unknown state.
    if (lease.holds()) giveBack();
  }
}

/** What the idle instances occupy, in bytes. */
export const idleMemory = (): number =>
  [...idle.small, ...idle.large].reduce((sum, codec) => sum + codec.memoryBytes, 0);
