/** Fused activations of f32 operators on tfjs. */
import type { Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { Activation } from "../tflite/graph.ts";
import * as tf from "./tfjs.bundle.js";

/** How an activation is applied: fused in tfjs' op if the op supports it, else by `after`. */
export interface Activate {
  readonly fused: "linear" | "relu" | "relu6";
  after(x: TfTensor): TfTensor;
}

const identity = (x: TfTensor): TfTensor => x;

/** The tfjs form of the activations that support.ts accepts. */
const ACTIVATE: { readonly [name in Activation]?: Activate } = {
  RELU: { fused: "relu", after: identity },
  RELU6: { fused: "relu6", after: identity },
  RELU_N1_TO_1: { fused: "linear", after: (x) => tf.clipByValue(x, -1, 1) },
};

export const LINEAR: Activate = { fused: "linear", after: identity };

export const activate = (activation: Activation): Activate => ACTIVATE[activation] ?? LINEAR;

/** Applies an activation to the output of an op that cannot fuse it. */
export function activated(x: TfTensor, { fused, after }: Activate): TfTensor {
  return fused === "relu" ? tf.relu(x) : fused === "relu6" ? tf.relu6(x) : after(x);
}
