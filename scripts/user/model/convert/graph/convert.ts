/** Writes a graph model of TensorFlow.js as a graph of TensorFlow Lite: maps the nodes that its outputs need, in order. */
import type { Graph } from "../../../../../worker/tflite/graph.ts";
import { type Json, jsonOf } from "../config.ts";
import { ConversionError, refuseNode } from "../errors.ts";
import type { Weight } from "../layers/layer.ts";
import { mergeOperators } from "../merge.ts";
import { Network, type Value } from "../network.ts";
import { findGelu } from "./gelu.ts";
import { type Edge, type GraphNode, readGraphDef } from "./graph-def.ts";
import { type Constant, Folding, isConstant, NodeCall, type Operand } from "./node-call.ts";
import { mapNode } from "./registry.ts";
import { type Signature, signatureOf } from "./signature.ts";
import { refuseOtherGraphs } from "./task.ts";

export interface GraphModel {
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly signature: Signature;
  readonly weights: ReadonlyMap<string, Weight>;
}

/**
 * @param json Of model.json.
 * @throws ConversionError if it is damaged, or not a classifier.
 */
export function readGraphModel(json: Json, weights: GraphModel["weights"]): GraphModel {
  const nodes = readGraphDef(jsonOf(json.modelTopology, "modelTopology"));
  const signature = signatureOf(json, nodes);
  refuseOtherGraphs(nodes, signature);
  return { nodes: findGelu(nodes, weights), signature, weights };
}

function weightOf(node: GraphNode, weights: GraphModel["weights"]): Constant {
  const weight = weights.get(node.name);
  if (weight === undefined) return refuseNode(node, "is not among the weights", "Export the model again.");
  return { values: weight.values(), shape: weight.shape };
}

/** The size to which a graph resizes its input, if it does. */
function resizedTo({ nodes, weights }: GraphModel): readonly number[] | undefined {
  for (const { op, inputs } of nodes.values()) {
    const weight = /^Resize(Bilinear|NearestNeighbor)$/.test(op) ? weights.get(inputs[1]?.node ?? "") : undefined;
    if (weight?.shape.join() === "2") return [...weight.values()];
  }
  return undefined;
}

/** [1, height, width, channels], or [1, height, width], of the input. @throws ConversionError that says what is wrong with it. */
export function inputShapeOf(model: GraphModel): readonly number[] {
  const { edge, shape: stated } = model.signature.input;
  const shape = model.nodes.get(edge.node)?.attributes.shape("shape") ?? stated;
  const shown =
    shape === undefined ? "an open shape" : `shape [${shape.map((dim) => (dim === -1 ? "open" : dim)).join(", ")}]`;
  const [batch, height, width, channels = 1, ...more] = shape ?? [];
  if (shape === undefined || shape.length < 3 || more.length > 0) {
    throw new ConversionError(`The input has ${shown}; an image classifier takes [1, height, width, channels].`);
  }
  if (batch !== -1 && batch !== 1) {
    throw new ConversionError(`The input has ${shown}: the model takes ${batch} pictures at once. Export it for one.`);
  }
  const resized = resizedTo(model);
  const sizes = [height, width].map((dim, i) => (dim === -1 ? resized?.[i] : dim));
  if (![...sizes, channels].every((dim) => Number.isInteger(dim) && (dim ?? 0) > 0)) {
    throw new ConversionError(
      `The input has ${shown}, in which the size is open. Export the network with a fixed input size: the weights fit it as ` +
        "they are.",
    );
  }
  return [1, ...(sizes as number[]), channels].slice(0, shape.length);
}

/** Whether a constant without values has a dimension that takes memory by itself: what is folded counts along each. */
const isEndless = (operand: Operand): boolean =>
  isConstant(operand) && operand.values.length === 0 && operand.shape.some((dim) => dim > 1 << 20);

class Converter {
  readonly network = new Network("node");
  readonly #model: GraphModel;
  readonly #input: Value;
  readonly #made = new Map<string, readonly Operand[]>();
  readonly #folding = new Folding();

  constructor(model: GraphModel) {
    this.#model = model;
    this.#input = this.network.input(inputShapeOf(model));
  }

  get input(): Value {
    return this.#input;
  }

  /** @throws ConversionError that names the node that cannot be converted, and the reason. */
  run(outputs: readonly Edge[]): readonly Operand[] {
    const open = new Set<string>();
    // Depth first without recursion, since networks are hundreds of nodes deep.
    const pending = outputs.map(({ node }) => node).toReversed();
    for (let name = pending.at(-1); name !== undefined; name = pending.at(-1)) {
      if (this.#made.has(name)) {
        pending.pop();
        continue;
      }
      const node = this.#nodeOf(name);
      const missing = this.#inputsOf(node).filter((input) => !this.#made.has(input.node));
      if (missing.length > 0) {
        if (open.has(name)) refuseNode(node, "needs its own output");
        open.add(name);
        pending.push(...missing.map((input) => input.node));
        continue;
      }
      const operands = this.#map(node);
      const endless = operands.find(isEndless);
      if (endless !== undefined) refuseNode(node, `would give a constant of shape [${endless.shape}]`);
      this.#made.set(name, operands);
      pending.pop();
    }
    return outputs.map((edge) => this.#operandOf(edge));
  }

  #nodeOf(name: string): GraphNode {
    const node = this.#model.nodes.get(name);
    if (node !== undefined) return node;
    throw new ConversionError(`The graph of the model has no node "${name.slice(0, 80)}".`);
  }

  #isInput = ({ name }: GraphNode): boolean => name === this.#model.signature.input.edge.node;

  #inputsOf(node: GraphNode): readonly Edge[] {
    return node.op === "Const" || this.#isInput(node) ? [] : node.inputs;
  }

  #operandOf({ node, output }: Edge): Operand {
    const operand = this.#made.get(node)?.[output];
    if (operand !== undefined) return operand;
    return refuseNode(this.#nodeOf(node), `has no output ${output} in inference`);
  }

  #map(node: GraphNode): readonly Operand[] {
    if (this.#isInput(node)) return [this.#input];
    if (node.op === "Const") return [weightOf(node, this.#model.weights)];
    if (node.op === "Placeholder") refuseNode(node, "is a second input; an image classifier has one, the picture");
    this.network.scope = node.name;
    const inputs = node.inputs.map((edge) => this.#operandOf(edge));
    const made = mapNode(new NodeCall(this.network, node, inputs, this.#folding));
    return Array.isArray(made) ? made : [made as Operand];
  }
}

/** The scores of an output that is the number of the top-1 class: what it is chosen from. */
function scoresBehind(nodes: GraphModel["nodes"], edge: Edge): Edge {
  let at = edge;
  for (let i = 0; i < 10; i++) {
    const node = nodes.get(at.node);
    const [input] = node?.inputs ?? [];
    if (node === undefined || input === undefined || !/^(Identity|Cast|ArgMax)$/.test(node.op)) break;
    if (node.op === "ArgMax") return input;
    at = input;
  }
  return edge;
}

/** @throws ConversionError that names the node that cannot be converted, and the reason. */
export function convertGraph(model: GraphModel): Graph {
  const converter = new Converter(model);
  const { outputs } = model.signature;
  const operands = converter.run(outputs.map(({ edge }) => scoresBehind(model.nodes, edge)));
  const values = new Map<Value, string>();
  for (const [i, operand] of operands.entries()) {
    if (isConstant(operand) || operand === converter.input) continue;
    if (!values.has(operand)) values.set(operand, outputs[i]?.name ?? "");
  }
  if (values.size === 0) throw new ConversionError("The outputs of the model do not depend on the picture.");
  return mergeOperators(converter.network.finish(converter.input, [...values.keys()], [...values.values()]));
}
