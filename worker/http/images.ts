/** What a body has in it: a single image, or several whose answers come as a list. */
import type { NamedImage } from "../labeling/label-many.ts";
import type { ImageSource } from "../labeling/types.ts";

/** The image that comes first in a body, which may be the only one. */
export interface OneImage {
  readonly one: ImageSource;
  readonly many?: undefined;
  readonly name?: string | undefined;
  /**
   * The images behind one that is labelled as it comes, to be called when it was: before, nobody knows whether there are any.
   *
   * @throws LabelerError for whatever cannot be read behind the image.
   */
  readonly behind?: () => Promise<NamedImage[]>;
}

export type Images = OneImage | { readonly one?: undefined; readonly behind?: undefined; readonly many: NamedImage[] };
