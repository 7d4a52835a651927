/** Records a request in the labeler: the time of each stage, and its images. */
import type { ImageFormat } from "../image/sniff.ts";

/** Where a cached result was found. */
export type Found = "memory" | "cache-api";

/** Waiting for a slot; for the bytes of the image; for a turn on the thread; decoding and resizing; the network. */
export type Stage = "wait" | "receive" | "turn" | "decode" | "infer";

/** Stored results that a request has erased: which ones it named, and how many there were so far. */
export interface Erasure {
  readonly image?: string | undefined;
  readonly device?: string | undefined;
  readonly before?: string | undefined;
  count: number;
}

/**
 * The stages that only wait. Where the clock stands still during work, as on Cloudflare, no others can be measured: a stage
 * that computes would show the time of its pauses alone.
 */
export const WAITS: ReadonlySet<Stage> = new Set(["wait", "receive", "turn"]);

/** Times are wrong where the clock stands still during work, as on Cloudflare: nothing may depend on them. */
export class Trace {
  /** In milliseconds. */
  readonly stages = new Map<Stage, number>();
  readonly images: {
    readonly format: ImageFormat;
    readonly model: string;
    readonly cache: Found | "miss" | "bypass";
  }[] = [];
  /** The bytes of the images that have arrived. */
  bytes = 0;
  /** What the request has erased; an erasure is always logged. */
  erasure: Erasure | undefined;

  /** @param since The start of the stage, a time of performance.now(). */
  took(stage: Stage, since: number): void {
    this.add(stage, performance.now() - since);
  }

  add(stage: Stage, milliseconds: number): void {
    this.stages.set(stage, (this.stages.get(stage) ?? 0) + milliseconds);
  }
}
