/**
 * Reads the files of a model's folder and says what kind of classifier they are, or why they are not one. It runs
 * nothing and does not need tfjs, so that the command line and the Worker judge a model by the same code.
 */
import { LabelerError } from "../errors.ts";
import { sizeOf } from "../inference/constants.ts";
import type { ComputedOperator } from "../inference/operators/definition.ts";
import { definitionOf, readGraph } from "../inference/operators/registry.ts";
import { rewrite } from "../inference/rewrites/rewrite.ts";
import { assertSupported } from "../inference/support.ts";
import type { Graph, Quantization, Tensor } from "../tflite/graph.ts";
import { type FileMetadata, readMetadata } from "../tflite/metadata.ts";
import type { Crop } from "./crop.ts";
import { parseLabels } from "./labels.ts";
import { inOrder, type Layout, layoutOf } from "./layout.ts";
import { type Normalization, usualNormalization } from "./normalization.ts";
import { type ModelSpec, type Output, parseSpec } from "./spec.ts";
import { refuseOtherTasks } from "./task.ts";
import { makeVocabulary, type Vocabulary } from "./vocabulary.ts";

/** More than any classifier has: only a damaged file states more, and their labels would take seconds to make. */
const MOST_CLASSES = 1 << 18;

/** The files in a model's folder. */
export interface ModelFiles {
  /** All of model.tflite. */
  readonly tflite: Uint8Array<ArrayBuffer>;
  /** labels.txt, if there is one; otherwise the labels are in the archive after the model. */
  readonly labels?: string | undefined;
  /** model.json, if there is one. */
  readonly spec?: string | undefined;
}

/** [red, green, blue]. */
export type PerChannel = readonly [number, number, number];

/** The conversion of pixels to the network's input. */
export interface InputSpec {
  readonly width: number;
  readonly height: number;
  readonly layout: Layout;
  /** The shape of the tensor. */
  readonly shape: readonly number[];
  readonly type: "float32" | "uint8" | "int8";
  readonly quantization: Quantization | undefined;
  /** Normalised = (pixel − mean) / std; absent for quantised inputs that take the pixels unchanged. */
  readonly normalization: { readonly mean: PerChannel; readonly std: PerChannel } | undefined;
  /** Whether the normalisation is a convention, because no file states it. */
  readonly guessed: boolean;
}

export interface InspectedModel {
  readonly graph: Graph;
  readonly labels: readonly string[];
  /** The labels with the minimum confidences of model.json. */
  readonly vocabulary: Vocabulary;
  /** Whether the labels are merely the numbers of the classes, since no file names them. */
  readonly numbered: boolean;
  readonly input: InputSpec;
  /** The input as the file has it, before a change of type or size in front of the network. */
  readonly fileInput: Pick<Tensor, "type" | "shape">;
  readonly output: Output;
  /** Whether each class has a probability of its own, so that several classes, or none, may be likely. */
  readonly multiLabel: boolean;
  /** Whether nothing says what its output is, so that a softmax is applied: the sum of all confidences is 1 then. */
  readonly softmaxAssumed: boolean;
  /** The scale of a quantised output; 1 for a float output. */
  readonly outputScale: number;
  readonly crop: Crop;
  readonly spec: ModelSpec;
  readonly description: string | undefined;
}

function refuse(reason: string): never {
  throw new LabelerError("model-unusable", reason);
}

const describe = ({ type, shape }: Tensor): string => `${type} [${shape.join(", ")}]`;

const named = (tensor: Tensor | undefined): string => (tensor ? `"${tensor.name}" ${describe(tensor)}` : "none");

function soleTensor(graph: Graph, indices: readonly number[], side: "input" | "output"): Tensor {
  const tensor = graph.tensors[indices[0] ?? -1];
  if (indices.length !== 1 || tensor === undefined) {
    const all = indices.map((index) => named(graph.tensors[index])).join(", ");
    const choose = side === "output" && indices.length > 1 ? ' Name one in model.json: {"outputTensor": "NAME"}.' : "";
    return refuse(`The network has ${indices.length} ${side}s (${all}); an image classifier has one.${choose}`);
  }
  const known = tensor.type === "float32" || tensor.type === "uint8" || tensor.type === "int8";
  if (!known) refuse(`The ${side} is ${describe(tensor)}; float32, uint8 and int8 are supported.`);
  if (tensor.type !== "float32" && tensor.quantization === undefined) {
    refuse(`The ${side} is ${describe(tensor)} without a scale, so that its numbers have no meaning.`);
  }
  return tensor;
}

const perChannel = (values: number | readonly number[]): PerChannel => {
  const [red = 0, green = red, blue = red] = typeof values === "number" ? [values] : values;
  return [red, green, blue];
};

/** The output that model.json names, or the only one of several with as many values as there are labels. */
function wantedOutput(graph: Graph, { outputTensor: name }: ModelSpec, labels: number | undefined): number | undefined {
  if (name === undefined) {
    const [fits, ...others] = graph.outputs.filter((index) => sizeOf(graph.tensors[index]?.shape ?? []) === labels);
    return others.length === 0 ? fits : undefined;
  }
  const found = graph.outputs.find((index) => graph.tensors[index]?.name === name);
  if (found !== undefined) return found;
  const all = graph.outputs.map((index) => named(graph.tensors[index])).join(", ");
  return refuse(`model.json, outputTensor: the network's outputs are ${all}.`);
}

/** The range of a float input that a CAST has made from an integer one. */
function ofInteger(given: Tensor | undefined): Normalization | undefined {
  if (given?.type === "uint8") return { mean: [0], std: [1] };
  return given?.type === "int8" ? { mean: [128], std: [1] } : undefined;
}

function inputOf(graph: Graph, file: Graph, spec: ModelSpec, metadata: FileMetadata): InputSpec {
  const tensor = soleTensor(graph, graph.inputs, "input");
  const size = layoutOf(tensor.shape);
  if (size === undefined || size.height < 1 || size.width < 1) {
    return refuse(
      `The input is ${describe(tensor)}; an image classifier takes [1, height, width, 3], or [1, 3, height, width], or one ` +
        "channel in the place of three.",
    );
  }
  // An open batch dimension means one image at a time; an open size leaves nothing to resize to.
  if (tensor.open.slice(1).some(Boolean))
    refuse("The input's height and width are open; convert the model with a fixed size.");
  const cast = tensor.type === "float32" ? ofInteger(file.tensors[file.inputs[0]]) : undefined;
  const stated = spec.input ?? cast ?? metadata.normalization;
  // A uint8 input takes the pixels as they are: its scale and zero point are the normalisation. An int8 input takes
  // them less 128 unless a normalisation is stated or usual, which its scale and zero point then quantise.
  const usual = stated === undefined ? usualNormalization(graph, size.layout) : undefined;
  const chosen = usual?.normalization ?? (tensor.type === "uint8" ? undefined : stated);
  const normalization = chosen && { mean: perChannel(chosen.mean), std: perChannel(chosen.std) };
  if (normalization?.std.some((std) => std === 0)) refuse("The normalisation divides by a std of 0.");
  const type = tensor.type as InputSpec["type"];
  const layout = inOrder(size.layout, spec.order ?? "rgb");
  return {
    ...size,
    layout,
    shape: tensor.shape,
    type,
    quantization: tensor.quantization,
    normalization,
    guessed: usual?.guessed ?? spec.input?.guessed ?? false,
  };
}

/** The usual reason for one label too many or too few. */
function background(labels: number, classes: number): string {
  if (labels === classes + 1) return " Is its first line a background class that the network does not have? Remove it.";
  return labels === classes - 1 ? ' Does the network have a background class? Then put a line "background" first.' : "";
}

/** @param given The lines of the label file, if there is one. Without one, classes are named by their numbers. */
function labelsOf(files: ModelFiles, given: readonly string[] | undefined, classes: number): readonly string[] {
  if (given === undefined) return Array.from({ length: Math.max(classes, 2) }, (_, index) => `${index}`);
  const two = classes === 1 && given.length === 2; // a single score that tells two classes apart
  if (given.length !== classes && !two) {
    const where = files.labels === undefined ? "The label file inside model.tflite" : "labels.txt";
    refuse(
      `${where} has ${given.length} lines, but the network has ${classes} ${classes === 1 ? "class" : "classes"}: one line a ` +
        `class is needed.${background(given.length, classes)}`,
    );
  }
  return given;
}

/** Searches backwards from the output, over operators that only move or requantise values, for what gives probabilities. */
function probabilitiesOf(graph: Graph): ComputedOperator["givesProbabilities"] {
  let index = graph.outputs[0];
  for (const operator of graph.operators.toReversed()) {
    if (operator.outputs[0] !== index) continue;
    const definition = definitionOf(operator);
    if (definition?.givesProbabilities !== undefined) return definition.givesProbabilities;
    if (!definition?.passesOn) return undefined;
    index = operator.inputs[0];
  }
  return undefined;
}

/**
 * Reads and judges the files of a model.
 *
 * @throws LabelerError of kind model-unusable that says which file is wrong, how, and what would be right.
 */
export async function inspectModel(files: ModelFiles): Promise<InspectedModel> {
  const spec = files.spec === undefined ? {} : parseSpec(files.spec);
  const file = readGraph(files.tflite);
  refuseOtherTasks(file);
  let metadata: FileMetadata;
  try {
    metadata = await readMetadata(files.tflite, file);
  } catch (error) {
    const cause = (error as Error).message;
    throw new LabelerError("model-unusable", `The metadata inside model.tflite is damaged: ${cause}.`, {
      cause: error,
    });
  }
  const text = files.labels ?? metadata.labels;
  const labels = text === undefined ? undefined : parseLabels(text);
  const graph = rewrite(file, wantedOutput(file, spec, labels?.length));
  assertSupported(graph);
  const input = inputOf(graph, file, spec, metadata);
  const outputTensor = soleTensor(graph, graph.outputs, "output");
  const classes = outputTensor.shape.at(-1) ?? 0;
  if (classes < 1 || outputTensor.shape.slice(0, -1).some((dim) => dim !== 1)) {
    refuse(`The output is ${describe(outputTensor)}; an image classifier gives [1, classes].`);
  }
  if (classes > MOST_CLASSES) {
    refuse(`The output is ${describe(outputTensor)}: a classifier may have ${MOST_CLASSES} classes.`);
  }
  const names = labelsOf(files, labels, classes);
  const kind = probabilitiesOf(graph);
  const output = spec.output ?? (kind === undefined ? "logits" : "probabilities");
  const softmaxAssumed = classes > 1 && kind === undefined && spec.output === undefined;
  return {
    graph,
    labels: names,
    vocabulary: makeVocabulary(names, { min: spec.min }),
    numbered: labels === undefined,
    input,
    fileInput: file.tensors[file.inputs[0]],
    output,
    multiLabel:
      classes > 1 && (output === "multi-label-logits" || (kind === "of-each-class" && output === "probabilities")),
    softmaxAssumed,
    outputScale: (outputTensor.type === "float32" ? undefined : outputTensor.quantization?.scale[0]) ?? 1,
    crop: spec.crop ?? "squash",
    spec,
    description: spec.description ?? metadata.description,
  };
}
