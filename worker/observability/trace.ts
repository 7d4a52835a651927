/** What became of a request in the labeler: how long each step took, and what the images were. */
import type { ImageFormat } from "../image/sniff.ts";

/** Where an answer was found that was kept. */
export type Found = "memory" | "cache-api";

/** Waiting for a slot; for the bytes of the image; for a turn on the thread; decoding and resizing; the network. */
export type Step = "wait" | "receive" | "turn" | "decode" | "infer";

/** Times are 0 where the clock stands still during work, as on Cloudflare: nothing may depend on them. */
export class Trace {
  /** In milliseconds. */
  readonly steps = new Map<Step, number>();
  readonly images: {
    readonly format: ImageFormat;
    readonly model: string;
    readonly cache: Found | "miss" | "bypass";
  }[] = [];
  /** Of the images. */
  bytes = 0;

  /** @param since As performance.now() gave it. */
  took(step: Step, since: number): void {
    this.add(step, performance.now() - since);
  }

  add(step: Step, milliseconds: number): void {
    this.steps.set(step, (this.steps.get(step) ?? 0) + milliseconds);
  }
}
