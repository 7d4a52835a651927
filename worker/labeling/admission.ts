/** When an image is let in: what is read of it before it has a slot, and how it comes by one. */
import { isImage, SNIFF_BYTES } from "../image/sniff.ts";
import { MemoryUse } from "../runtime/memory-use.ts";
import type { AcquireOptions } from "../runtime/semaphore.ts";
import type { LabelContext } from "./context.ts";
import { imageFrom } from "./image-source.ts";
import type { ImageSource } from "./types.ts";

/** A file that is no larger is read whole before there is a slot for it: if its labels are known it needs none. In bytes. */
export const SMALL_IMAGE = 256 << 10;

/** How much later a request is treated as if it had come, in milliseconds: 200 for each MB of its images, 1000 at most. */
const delayFor = (size: number | undefined): number => Math.min(1000, ((size ?? 1 << 20) * 200) / (1 << 20));

/** Whether an image is small and all there: little work. */
export const isSmall = (image: ImageSource | undefined): boolean =>
  image?.bytes !== undefined && image.bytes.length <= SMALL_IMAGE;

/** How a request asks for a part of what is limited. */
export const requestFor = ({ signal, client }: LabelContext, image?: ImageSource): AcquireOptions => ({
  signal,
  client,
  reception: image?.reception,
});

/**
 * Does something once there is a slot for it. What it calls with the context that it gets needs no other one.
 *
 * @param image What is worked on; or how many bytes, where that is more than one image.
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

/** Of a larger one so much has to be there before it gets a slot, in bytes: a slot is for what can be decoded. */
const BEGINNING = 64 << 10;

/** Reads the beginning of an image that still comes. @returns All of it, if it is small. */
async function readBeginning(
  image: ImageSource,
  memory: MemoryUse | undefined,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { bytes, pieces, size = 0 } = image;
  if (bytes !== undefined) return undefined;
  const reserve = memory && ((more: number) => memory.reserve(more));
  // What is no image is refused without waiting for more of it.
  if (!isImage(await pieces.peek(SNIFF_BYTES, reserve))) return undefined;
  if (size > SMALL_IMAGE) {
    await pieces.peek(BEGINNING, reserve);
    return undefined;
  }
  const begun = await pieces.peek(SMALL_IMAGE + 1, reserve);
  return begun.length > SMALL_IMAGE ? undefined : ((await pieces.all({ limit: SMALL_IMAGE })) ?? new Uint8Array());
}

/**
 * Reads a small image whole, and of a large one the beginning, before anything is held for it but a little memory.
 *
 * @param work Gets the image; a small one's bytes are in memory.
 * @throws LabelerError of kind busy if there is no memory for it; what the image's pieces throw, and what `work` throws.
 */
export async function withBeginning<T>(
  image: ImageSource,
  context: LabelContext,
  work: (image: ImageSource) => Promise<T>,
): Promise<T> {
  const memory = context.buffers && new MemoryUse(context.buffers, requestFor(context, image));
  try {
    const small = await readBeginning(image, memory);
    return await work(small === undefined ? image : imageFrom(small));
  } finally {
    memory?.release();
  }
}
