/** Recognises graphs that are not image classifiers, so that the error names their task instead of a node. */
import { LabelerError } from "../../../../../worker/errors.ts";
import { refuseOtherTasks } from "../../../../../worker/model/task.ts";
import type { Tensor } from "../../../../../worker/tflite/graph.ts";
import { ConversionError } from "../errors.ts";
import type { GraphNode } from "./graph-def.ts";
import type { Signature } from "./signature.ts";

/** The operators of TensorFlow Lite by which worker/model/task.ts knows the task of a graph. */
const TELLING: readonly (readonly [RegExp, string])[] = [
  [/^(Combined)?NonMaxSuppression/, "NON_MAX_SUPPRESSION_V4"],
  [/^(HashTable|LookupTable|StaticRegex|IndexTo)/, "HASHTABLE"],
  [/LSTM|GRU|^(Cudnn)?RNN/, "LSTM"],
  [/^(VarHandleOp|ReadVariableOp|VariableV2)$/, "READ_VARIABLE"],
];

/** Lists and loops over pictures or boxes: detectors of TensorFlow's Object Detection API compute them at their ends. */
const LOOP = /^(TensorList|TensorArray|While$|StatelessWhile$|LoopCond$|Enter$|NextIteration$)/;
const OF_DETECTOR = /(^|\/)(\w*BoxPredictor\w*|Postprocessor|\w*AnchorGenerator)\//;

const tensor = (shape: readonly number[], index: number): Tensor => ({
  index,
  name: "",
  shape: shape.map((dim) => (dim === -1 ? 1 : dim)),
  open: [],
  type: "float32",
  quantization: undefined,
  data: undefined,
});

/** @throws ConversionError for a graph that is recognised as something other than a classifier. */
export function refuseOtherGraphs(nodes: ReadonlyMap<string, GraphNode>, { outputs }: Signature): void {
  const all = [...nodes.values()];
  const isDetector =
    all.some(({ op, name }) => LOOP.test(op) || OF_DETECTOR.test(name)) &&
    all.some(({ name }) => OF_DETECTOR.test(name));
  const ops = all.flatMap(({ op }) => TELLING.find(([pattern]) => pattern.test(op))?.[1] ?? []);
  // A segmenter's sizes may be open; a place has no size of one.
  const shapes = outputs.map(({ shape = [] }) =>
    shape.length === 4 ? shape.map((dim, i) => (i > 0 && dim === -1 ? 32 : dim)) : shape,
  );
  try {
    refuseOtherTasks({
      tensors: [...shapes.map(tensor), tensor([1], shapes.length)],
      operators: (isDetector ? ["NON_MAX_SUPPRESSION_V4", ...ops] : ops).map((op, index) => ({
        index,
        op,
        inputs: [],
        outputs: [],
        options: undefined,
      })),
      inputs: [shapes.length],
      outputs: [...shapes.keys()],
      metadata: new Map(),
    });
  } catch (error) {
    if (error instanceof LabelerError) throw new ConversionError(error.message);
    throw error;
  }
  const loop = all.find(({ op }) => LOOP.test(op));
  if (loop !== undefined) {
    throw new ConversionError(
      `The node "${loop.name}" (${loop.op}) belongs to a loop, as networks for sequences and detectors have them. The labeler ` +
        "runs classifiers of single pictures.",
    );
  }
}
