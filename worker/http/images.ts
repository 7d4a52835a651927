/** The images of a body: a single one, or several, whose answers are a list. */
import type { NamedImage } from "../labeling/label-many.ts";
import type { ImageSource } from "../labeling/types.ts";

/** The first image of a body, which may be the only one. */
export interface OneImage {
  readonly one: ImageSource;
  readonly many?: undefined;
  readonly name?: string | undefined;
  /**
   * Reads the images that follow. To be called after the first image was labelled, since it is not known earlier whether
   * there are any.
   *
   * @throws LabelerError if the rest of the body cannot be read.
   */
  readonly behind?: () => Promise<NamedImage[]>;
}

export type Images = OneImage | { readonly one?: undefined; readonly behind?: undefined; readonly many: NamedImage[] };
