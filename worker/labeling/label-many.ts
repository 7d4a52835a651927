/** Several images of one request, one after the other: each has its own labels, or its own error. */
import { isImageFault, LabelerError } from "../errors.ts";
import { admitted } from "./admission.ts";
import type { LabelContext } from "./context.ts";
import { labelOne } from "./label-image.ts";
import type { ImageSource, Labelled, LabelOptions } from "./types.ts";

/** An image that is opened when its turn comes, so that no two stand decoded in memory. */
export interface NamedImage {
  /** As the caller named it. */
  readonly name?: string | undefined;
  /** @throws LabelerError if there is no image. */
  open(): ImageSource | Promise<ImageSource>;
}

export type Outcome = { readonly name: string | undefined } & (
  | { readonly labelled: Labelled; readonly error?: undefined }
  | { readonly labelled?: undefined; readonly error: LabelerError }
);

/**
 * Labels images in their order.
 *
 * @param images Emptied on the way, so that an image that is done with is not held.
 * @throws LabelerError for what is not an image's own fault: an unknown model, a labeler that is busy.
 */
export function labelMany(images: NamedImage[], options: LabelOptions, context: LabelContext): Promise<Outcome[]> {
  // One slot for all: a request that is half done is not refused.
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

/** The labels of one of several images, or its error. @throws Whatever `label` throws that is not the image's own fault. */
export async function outcomeOf(name: string | undefined, label: () => Promise<Labelled>): Promise<Outcome> {
  try {
    return { name, labelled: await label() };
  } catch (error) {
    if (!(error instanceof LabelerError) || !isImageFault(error)) throw error;
    return { name, error };
  }
}
