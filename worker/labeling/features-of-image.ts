/** Computes the features of an image: the values that the network computes before its scores. */
import type { Features } from "../teaching/features.ts";
import { admitted, withBeginning } from "./admission.ts";
import type { LabelContext } from "./context.ts";
import { pixelsOf } from "./decode-input.ts";
import { prepareModel } from "./prepare-model.ts";
import type { ImageSource, Labelled, LabelOptions } from "./types.ts";

/** Features with the report on the image, such as damage and scale. */
export interface Featured extends Omit<Labelled, "labels" | "key" | "found"> {
  readonly features: Features;
}

/**
 * @throws LabelerError as labelOne() does, and of kind no-features for a network that gives none.
 */
export async function featuresOfOne(
  image: ImageSource,
  options: Omit<LabelOptions, "top" | "min">,
  context: LabelContext,
): Promise<Featured> {
  const model = await prepareModel(options, context);
  return withBeginning(image, context, (image) =>
    admitted(context, image, async (context) => {
      const { pixels, missing, warnings, eighths, format } = await pixelsOf(image, model, options, context);
      context.trace?.images.push({ format, model: model.entry.name, cache: "bypass" });
      const features = await model.run((classifier) => classifier.features(pixels));
      return { features, missing, warnings, eighths, format, model: model.entry.name };
    }),
  );
}
