/** Recognises networks that are not image classifiers, so that the error names their task instead of an operator. */
import { LabelerError } from "../errors.ts";
import type { Graph, Tensor } from "../tflite/graph.ts";

const DETECTOR =
  "This is an object detector: it finds where things are. The labeler runs classifiers, which give one value for each " +
  "class. Cut the picture into regions and classify those, or train a classifier.";

/** Operators that identify the task of a file, each with a sentence for the user. */
const TELLING: readonly (readonly [RegExp, string])[] = [
  [/^CUSTOM TFLite_Detection_PostProcess$|^NON_MAX_SUPPRESSION/, DETECTOR],
  [
    /^CUSTOM edgetpu-custom-op$/,
    "This file is compiled for the Edge TPU and runs nowhere else. Take the file that edgetpu_compiler was given, whose " +
      "name does not end in _edgetpu.tflite.",
  ],
  [
    /^CUSTOM ethos-u$/,
    "This file is compiled by Vela for an Arm Ethos-U and runs nowhere else. Take the file that Vela was given.",
  ],
  [
    /^(VAR_HANDLE|READ_VARIABLE)$/,
    "The weights of this network are variables, which the converter has not put into the file: so it is when a SavedModel of " +
      "Keras 3 is converted. Convert the Keras model with tf.lite.TFLiteConverter.from_keras_model(model), or add the .keras " +
      "file itself.",
  ],
  [
    /^HASHTABLE/,
    "This network looks its labels up in a table, and gives text. Convert it without the lookup, so that its output is one " +
      "value for each class, and put the labels into labels.txt.",
  ],
  [
    /^BATCH_MATMUL$/,
    "This network has attention (BATCH_MATMUL), as transformers such as ViT and Swin do, which is not supported. Train a " +
      "convolutional network: MobileNet, EfficientNet, ResNet or ConvNeXt, for example.",
  ],
  [
    /^(UNIDIRECTIONAL_SEQUENCE|BIDIRECTIONAL_SEQUENCE)?_?(LSTM|RNN)$/,
    "This network has recurrent layers (LSTM), as networks for sequences do. The labeler runs classifiers of single pictures.",
  ],
  [
    /^CUSTOM (Flex|TF)/,
    "This network has operators of TensorFlow itself (SELECT_TF_OPS). Convert it with TFLITE_BUILTINS alone.",
  ],
];

const size = (tensor: Tensor | undefined): string => `${tensor?.type} [${tensor?.shape.join(", ")}]`;

function taskOfOutputs(graph: Graph): string | undefined {
  // A damaged file may name outputs that are not there.
  const outputs = graph.outputs.flatMap((index) => graph.tensors[index] ?? []);
  const shapes = outputs.map(({ shape }) => shape.filter((dim) => dim !== 1));
  // Boxes of four coordinates beside scores, or rows of boxes with objectness and scores, as in YOLO.
  const boxes = outputs.some(
    ({ shape }) => shape.length === 3 && (shape[2] === 4 || shape[1] === 4) && sizeAbove(shape, 20),
  );
  const rows = outputs.some(
    ({ shape }) => shape.length === 3 && Math.min(shape[1], shape[2]) >= 5 && sizeAbove(shape, 500),
  );
  if ((boxes && outputs.length > 1) || rows) return DETECTOR;
  if (shapes.some((dims, i) => outputs[i]?.shape.length === 4 && dims.length >= 2 && dims[0] > 1)) {
    return `This network gives a value for each place of the picture (${size(outputs[0])}), as networks for segmentation, depth or poses do. The labeler runs classifiers, which give one value for each class.`;
  }
  const last = graph.operators.find(({ outputs: [made] }) => made === graph.outputs[0]);
  if (last?.op === "L2_NORMALIZATION") {
    return "This network ends in L2_NORMALIZATION, so that it gives an embedding of the picture and no classes.";
  }
  const wide = graph.operators.find((operator) => operator.outputs.some((i) => graph.tensors[i]?.type === "int16"));
  if (wide !== undefined) {
    return "This network is quantised with 16-bit activations (16x8), which is not supported. Quantise it with int8.";
  }
  return undefined;
}

const sizeAbove = (shape: readonly number[], least: number): boolean => shape.reduce((a, b) => a * b, 1) > least;

/**
 * @throws LabelerError of kind model-unusable for a network that is recognised as something other than a classifier.
 */
export function refuseOtherTasks(graph: Graph): void {
  for (const { op } of graph.operators) {
    const told = TELLING.find(([pattern]) => pattern.test(op));
    if (told !== undefined) throw new LabelerError("model-unusable", told[1]);
  }
  const task = graph.inputs.length === 1 ? taskOfOutputs(graph) : undefined;
  if (task !== undefined) throw new LabelerError("model-unusable", task);
}
