/** Fused activations of float operators on tfjs. */
import type { Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { Activation } from "../tflite/graph.ts";
import * as tf from "./tfjs.bundle.js";

/** How an activation is applied: within tfjs' op where that takes it, else by `after`. */
export interface Activate {
  readonly fused: "linear" | "relu" | "relu6";
  after(x: TfTensor): TfTensor;
}

const identity = (x: TfTensor): TfTensor => x;

/** What support.ts lets through, as tfjs does it. */
const ACTIVATE: { readonly [name in Activation]?: Activate } = {
  RELU: { fused: "relu", after: identity },
  RELU6: { fused: "relu6", after: identity },
  RELU_N1_TO_1: { fused: "linear", after: (x) => tf.clipByValue(x, -1, 1) },
};

export const LINEAR: Activate = { fused: "linear", after: identity };

export const activate = (activation: Activation): Activate => ACTIVATE[activation] ?? LINEAR;

/** Applies an activation to the output of an op that takes none. */
export function activated(x: TfTensor, { fused, after }: Activate): TfTensor {
  return fused === "relu" ? tf.relu(x) : fused === "relu6" ? tf.relu6(x) : after(x);
}
