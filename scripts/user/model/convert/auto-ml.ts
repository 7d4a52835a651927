/** What is known of the image classifiers that AutoML Vision exports for TensorFlow.js, beside what their files state. */
import { type GraphModel, inputShapeOf } from "./graph/convert.ts";

/** What @tensorflow/tfjs-automl does to pictures: it crops their centre, and pixels are −1…1. */
export const AUTO_ML = {
  source: "AutoML Vision",
  spec: { input: { mean: 127.5, std: 127.5 }, crop: "center" },
} as const;

/** The size to which it brings all pictures. */
const SIDE = 224;

/** Whether a model that has its labels in a dict.txt, as AutoML's have, takes pictures of their size. */
export function hasAutoMlInput(model: GraphModel): boolean {
  const [, height, width] = inputShapeOf(model);
  return height === SIDE && width === SIDE && model.signature.input.type !== "DT_UINT8";
}
