/** All layers that can be converted, by their class in Keras. */
import { refuseLayer } from "../errors.ts";
import { ACTIVATIONS } from "./activations.ts";
import { isIdentity, type Layer, type Mapper } from "./layer.ts";
import { MERGING } from "./merging.ts";
import { NORMALIZATION } from "./normalization.ts";
import { RESIZING } from "./resizing.ts";
import { SHAPES } from "./shapes.ts";
import { WEIGHTED } from "./weighted.ts";
import { POOLING } from "./window.ts";

const MAPPERS: Readonly<Record<string, Mapper>> = {
  ...WEIGHTED,
  ...NORMALIZATION,
  ...ACTIVATIONS,
  ...POOLING,
  ...MERGING,
  ...SHAPES,
  ...RESIZING,
};

/** Layers that only do something in training. RandomCrop is not one: it crops the middle of a picture elsewhere. */
const OF_TRAINING =
  /^(Dropout|SpatialDropout[12]D|AlphaDropout|GaussianDropout|GaussianNoise|ActivityRegularization|StochasticDepth|Identity|Random(?!Crop)\w+|AutoContrast|AugMix|CutMix|MixUp|RandAugment)$/;

/** Why some layers have no mapper, and what to do. */
const REASONS: Readonly<Record<string, readonly [reason: string, instead?: string]>> = {
  Lambda: ["runs code in Python that the file does not hold in a readable form"],
  CenterCrop: ["crops pictures", 'Leave it out, and state {"crop": "center"} in model.json.'],
  RandomCrop: ["crops pictures", 'Leave it out, and state {"crop": "center"} in model.json.'],
  Conv2DTranspose: [
    "enlarges values by a convolution, which the labeler has no operator for",
    "Classifiers do without it.",
  ],
  MultiHeadAttention: ["computes attention, which the labeler does not support", "Train a convolutional network."],
};

/** The classes that have a mapper. */
export const LAYER_CLASSES: readonly string[] = Object.keys(MAPPERS);

export const hasMapper = (className: string): boolean =>
  Object.hasOwn(MAPPERS, className) || OF_TRAINING.test(className);

/** @throws ConversionError with the reason if there is no mapper for the layer. */
export function mapperOf(layer: Layer): Mapper {
  const className = layer.className.replace(/^.*>/, "");
  const mapper = Object.hasOwn(MAPPERS, className) ? MAPPERS[className] : undefined;
  if (mapper !== undefined) return mapper;
  if (OF_TRAINING.test(className)) return isIdentity;
  const [reason, instead] = Object.hasOwn(REASONS, className) ? (REASONS[className] ?? []) : [];
  return refuseLayer(layer, reason ?? "is of a class that is not supported", instead);
}
