/** Computes class activation maps from the memory of a plan that has run. */
import { wasmHeap } from "../backend.ts";
import { addressOf } from "./addresses.ts";
import type { Binding } from "./bind.ts";
import type { CompiledPlan, PlanStep } from "./compiled-plan.ts";
import type { ConvKernel, KernelCall } from "./layouts.ts";
import { READ_CHANNEL } from "./pack/unpack.ts";

/** The contribution of each place of the image to a class, in units of the class's score before the softmax. */
export interface ClassActivation {
  readonly height: number;
  readonly width: number;
  /** [height, width]; the score is their mean plus `bias`. */
  readonly values: Float32Array;
  readonly bias: number;
}

/** Thrown if the end of a network does not allow such maps. The file is not at fault. */
export class NoActivation extends Error {}

const isConvolution = (step: PlanStep): step is PlanStep & Extract<KernelCall, { kernel: ConvKernel }> =>
  "kernel" in step && step.kernel in READ_CHANNEL;

/**
 * Computes how much each place of the image contributes to a class, from the last run of a plan.
 *
 * @returns The share of each place in the class's score: score = mean of values + bias. A softmax is left out.
 * @throws NoActivation with the reason if the graph does not classify features that are averaged over all places.
 */
export function computeActivation({ head, steps }: CompiledPlan, binding: Binding, label: number): ClassActivation {
  if (typeof head === "string") throw new NoActivation(`This network has no map of its classes: ${head}.`);
  const step = steps[head.step];
  if (!isConvolution(step)) throw new Error("the classifier is not a matrix of weights");
  const { reduction, outChannels } = step.parameters;
  if (!(label >= 0 && label < outChannels)) throw new RangeError(`class ${label} is not among ${outChannels}`);
  const { buffer } = wasmHeap().memory;
  const packed = new DataView(buffer, binding.packed[head.step]);
  const { weights, bias } = READ_CHANNEL[step.kernel](packed, reduction, label, step.parameters);
  const { features, inputScale } = head;
  const [, height, width, channels] = features.tensor.shape;
  const at = addressOf(binding, features.tensor.index);
  const [scale, zero] = features.kind === "u8" ? [features.scale, features.zero] : [1, 0];
  const values =
    features.kind === "u8" ? new Uint8Array(buffer, at, features.size) : new Float32Array(buffer, at, features.size);
  const weightScale = head.weightScales[label] ?? head.weightScales[0];
  const map = new Float32Array(height * width);
  for (let place = 0; place < map.length; place++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += (values[place * channels + c] - zero) * weights[c];
    map[place] = sum * scale * weightScale;
  }
  return { height, width, values: map, bias: bias * inputScale * weightScale };
}
