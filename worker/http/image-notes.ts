/** Notes on an image beside its labels: that it is incomplete or damaged, or was decoded at a smaller scale. */
import type { Context } from "hono";
import type { Labelled } from "../labeling/types.ts";

type Image = Pick<Labelled, "missing" | "warnings" | "eighths">;

/** Headers of an answer about one image. */
export const IMAGE_HEADERS = ["X-Image-Missing", "X-Image-Scale", "X-Image-Warnings"] as const;

export interface ImageNotes {
  /** The share of the picture that is missing, 0..1, rounded to three digits and at least 0.001. */
  readonly missing?: number;
  /** Places with damage that the decoder went around. */
  readonly warnings?: number;
  /** The scale at which a JPEG was decoded, such as `1/4`; absent at its full size. */
  readonly scale?: string;
}

/** The notes on an image; none for a complete photo at its full size. */
export const imageNotes = ({ missing, warnings, eighths }: Image): ImageNotes => ({
  ...(missing > 0 && { missing: Math.max(0.001, Number(missing.toFixed(3))) }),
  ...(warnings > 0 && { warnings }),
  ...(eighths < 8 && { scale: `1/${8 / eighths}` }),
});

/** Sets a header for each note. */
export function setImageHeaders(c: Context, image: Image): void {
  const { missing, warnings, scale } = imageNotes(image);
  if (missing !== undefined) c.header("x-image-missing", missing.toFixed(3));
  if (warnings !== undefined) c.header("x-image-warnings", `${warnings}`);
  if (scale !== undefined) c.header("x-image-scale", scale);
}

/** A sentence about the faults of an image file, for the `error` of a rule; undefined if there are none. */
export function faultOf({ missing, warnings }: Image): string | undefined {
  if (missing > 0) return `The image ends early: ${Math.ceil(missing * 100)} % of it is not there.`;
  if (warnings === 0) return undefined;
  return `The image is damaged in ${warnings === 1 ? "one place" : `${warnings} places`}: its label may be wrong.`;
}
