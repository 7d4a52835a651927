/** Labels the images of one request, one after the other: each gets its own labels, or its own error. */
import { isImageFault, LabelerError } from "../errors.ts";
import { admitted } from "./admission.ts";
import type { LabelContext } from "./context.ts";
import { labelOne } from "./label-image.ts";
import type { ImageSource, Labelled, LabelOptions } from "./types.ts";

/** An image that is opened just before it is labelled, so that no two decoded images are in memory. */
export interface NamedImage {
  /** The name that the caller gave it. */
  readonly name?: string | undefined;
  /** @throws LabelerError if the image does not exist. */
  open(): ImageSource | Promise<ImageSource>;
}

export type Outcome = { readonly name: string | undefined } & (
  | { readonly labelled: Labelled; readonly error?: undefined }
  | { readonly labelled?: undefined; readonly error: LabelerError }
);

/**
 * Labels images in their order.
 *
 * @param images The list is emptied on the way, so that a finished image can be freed.
 * @throws LabelerError for errors that no single image causes: an unknown model, a busy labeler.
 */
export function labelMany(images: NamedImage[], options: LabelOptions, context: LabelContext): Promise<Outcome[]> {
  // The request holds one slot for all its images: a request that is half done is not refused.
  return admitted(context, Number.POSITIVE_INFINITY, (context) => inOrder(images, options, context));
}

async function inOrder(images: NamedImage[], options: LabelOptions, context: LabelContext): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let image = images.shift(); image !== undefined; image = images.shift()) {
    const { name } = image;
    const open = image.open.bind(image);
    outcomes.push(await outcomeOf(name, async () => labelOne(await open(), options, context)));
  }
  return outcomes;
}

/**
 * The labels of one of several images, or its error.
 *
 * @throws Whatever `label` throws that is not the image's own fault.
 */
export async function outcomeOf(name: string | undefined, label: () => Promise<Labelled>): Promise<Outcome> {
  try {
    return { name, labelled: await label() };
  } catch (error) {
    if (!(error instanceof LabelerError) || !isImageFault(error)) throw error;
    return { name, error };
  }
}
