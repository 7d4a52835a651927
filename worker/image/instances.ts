/**
 * Manages the instances of codecs.wasm in an isolate and the memory of each. A wasm memory never shrinks and hardly
 * counts for the garbage collector, so instances are reused. There are two kinds: small ones, which suffice for
 * everything that streams, and a single large one for images that have to be buffered.
 */
import { type AcquireOptions, Semaphore } from "../runtime/semaphore.ts";
import { Codec } from "./codecs.ts";

export type Kind = "small" | "large";

const MB = 1 << 20;

/** Memory limits: the isolate's 128 MB are shared with the model, its activations and the JS heap. */
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
 * @param work Uses the instance only while `holds` returns true: then it is still lent to this image.
 * @param request The request of the image.
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
  // A request whose client has disconnected may end without reaching the code below.
  request.signal?.addEventListener("abort", giveBack, { once: true });
  try {
    return await work(codec, lease.holds);
  } finally {
    request.signal?.removeEventListener("abort", giveBack);
    // If the lease was reclaimed, the new holder has an instance of its own; the state of this one is unknown.
    if (lease.holds()) giveBack();
  }
}

/** The memory of the idle instances, in bytes. */
export const idleMemory = (): number =>
  [...idle.small, ...idle.large].reduce((sum, codec) => sum + codec.memoryBytes, 0);
