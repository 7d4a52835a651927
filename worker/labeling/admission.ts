/** Admission of images: which bytes of an image are read before it holds a slot, and how it acquires one. */
import { isImage, SNIFF_BYTES } from "../image/sniff.ts";
import { MemoryUse } from "../runtime/memory-use.ts";
import type { AcquireOptions } from "../runtime/semaphore.ts";
import type { LabelContext } from "./context.ts";
import { imageFrom } from "./image-source.ts";
import type { ImageSource } from "./types.ts";

/** A file up to this size, in bytes, is read whole before it needs a slot: a cached result needs none. */
export const SMALL_IMAGE = 256 << 10;

/** The delay after which a request counts as arrived, in milliseconds: 200 for each MB of its images, at most 1000. */
const delayFor = (size: number | undefined): number => Math.min(1000, ((size ?? 1 << 20) * 200) / (1 << 20));

/** Whether an image is small and completely in memory, which makes it little work. */
export const isSmall = (image: ImageSource | undefined): boolean =>
  image?.bytes !== undefined && image.bytes.length <= SMALL_IMAGE;

/** The options with which a request acquires a part of a limited resource. */
export const requestFor = ({ signal, client }: LabelContext, image?: ImageSource): AcquireOptions => ({
  signal,
  client,
  reception: image?.reception,
});

/**
 * Runs `work` as soon as it holds a slot. `work` should use the context that it is given instead of the caller's.
 *
 * @param image The image that is worked on, or the number of bytes if there are several images.
 */
export async function admitted<T>(
  context: LabelContext,
  image: ImageSource | number,
  work: (context: LabelContext) => Promise<T>,
): Promise<T> {
  const { slots } = context;
  if (slots === undefined) return work(context);
  const since = performance.now();
  const [source, size] = typeof image === "number" ? [undefined, image] : [image, image.size];
  const express = isSmall(source);
  if (!express) context.onMuchWork?.();
  const lease = await slots
    .acquire({ ...requestFor(context, source), delay: delayFor(size), express })
    .finally(() => context.trace?.took("wait", since));
  try {
    return await work({ ...context, slots: undefined, buffers: undefined });
  } finally {
    lease.release();
  }
}

/** A larger image acquires a slot only after this many bytes have arrived: a slot is for what can be decoded. */
const BEGINNING = 64 << 10;

/**
 * Whether a large image seems to have come before and can be read whole, so that its result is found without decoding.
 */
async function isRepeated(beginning: Uint8Array, size: number, { resultCache, buffers }: LabelContext) {
  if (resultCache === undefined || !(await resultCache.isRepeated(beginning, size))) return false;
  return buffers === undefined || 2 * size <= buffers.free;
}

/** Reads the beginning of an image that is still arriving. @returns All of it, if it is small or seems to be repeated. */
async function readBeginning(
  image: ImageSource,
  memory: MemoryUse | undefined,
  context: LabelContext,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { bytes, stream, size = 0 } = image;
  if (bytes !== undefined) return undefined;
  const reserve = memory && ((more: number) => memory.reserve(more));
  // A body that is not an image is refused without waiting for the rest of it.
  if (!isImage(await stream.peek(SNIFF_BYTES, reserve))) return undefined;
  if (size > SMALL_IMAGE) {
    const beginning = await stream.peek(BEGINNING, reserve);
    return (await isRepeated(beginning, size, context)) ? stream.all({ limit: size, size, reserve }) : undefined;
  }
  const begun = await stream.peek(SMALL_IMAGE + 1, reserve);
  return begun.length > SMALL_IMAGE ? undefined : ((await stream.all({ limit: SMALL_IMAGE })) ?? new Uint8Array());
}

/**
 * Reads all of an image that is small or seems to be repeated, or the beginning of another one, before the request holds
 * more than a little memory.
 *
 * @param work Receives the image; if all of it was read, its bytes are in memory.
 * @throws LabelerError of kind busy if there is no memory for it; whatever the byte stream or `work` throws.
 */
export async function withBeginning<T>(
  image: ImageSource,
  context: LabelContext,
  work: (image: ImageSource) => Promise<T>,
): Promise<T> {
  const memory = context.buffers && new MemoryUse(context.buffers, requestFor(context, image));
  try {
    const whole = await readBeginning(image, memory, context);
    return await work(whole === undefined ? image : imageFrom(whole));
  } finally {
    memory?.release();
  }
}
