/** All nodes that can be converted, by the name of their operation in TensorFlow. */
import { ARITHMETIC } from "./arithmetic.ts";
import { GELU, gelu } from "./gelu.ts";
import type { NodeCall, NodeMapper } from "./node-call.ts";
import { PARTS } from "./parts.ts";
import { SHAPES } from "./shapes.ts";
import { WEIGHTED } from "./weighted.ts";
import { WINDOWS } from "./windows.ts";

const MAPPERS: Readonly<Record<string, NodeMapper>> = { ...WEIGHTED, ...WINDOWS, ...ARITHMETIC, ...PARTS, ...SHAPES };

/** The operations that have a mapper. */
export const NODE_OPERATIONS: readonly string[] = Object.keys(MAPPERS);

const TRAIN_CNN = "Train a convolutional network: MobileNet, EfficientNet, ResNet or ConvNeXt, for example.";

/** Why some operations have no mapper, and what to do. */
const REASONS: readonly (readonly [pattern: RegExp, reason: string, instead?: string])[] = [
  [/^(BatchMatMul\w*|Einsum)$/, "computes attention, as transformers do, which is not supported", TRAIN_CNN],
  [
    /^Conv2DBackpropInput$/,
    "enlarges values by a convolution, which the labeler has no operator for",
    "Classifiers do without it.",
  ],
  [/^(Stateful)?PartitionedCall$|^If$|^StatelessIf$/, "calls a function of the graph, which is not supported"],
  [/^(Random|Multinomial|TruncatedNormal)/, "draws random numbers", "Export the model for inference."],
  [/^ArgMax$/, "gives the number of a class in the middle of the network"],
  [/^Erf$/, "computes the error function outside of GELU, for which the labeler does not have an operator"],
];

/** @throws ConversionError with the reason if the node has no mapper. */
export function mapNode(call: NodeCall): ReturnType<NodeMapper> {
  const { op } = call.node;
  if (op === GELU) return gelu(call);
  const mapper = Object.hasOwn(MAPPERS, op) ? MAPPERS[op] : undefined;
  if (mapper !== undefined) return mapper(call);
  const [, reason, instead] = REASONS.find(([pattern]) => pattern.test(op)) ?? [];
  return call.refuse(reason ?? "is of an operation that is not supported", instead);
}
