/** The input and the outputs of a graph model, by its signature or by its nodes. */
import { isJson, type Json } from "../config.ts";
import { ConversionError } from "../errors.ts";
import { dimensionsOf, type Edge, edgeOf, type GraphNode } from "./graph-def.ts";

/** A tensor that the signature names. */
interface NamedTensor {
  /** As it is known to users of the model. */
  readonly name: string;
  readonly edge: Edge;
  readonly shape: readonly number[] | undefined;
  /** Such as "DT_FLOAT". */
  readonly type: string;
}

export interface Signature {
  readonly input: NamedTensor;
  readonly outputs: readonly NamedTensor[];
}

function tensorsOf(side: unknown): readonly NamedTensor[] {
  return Object.entries(isJson(side) ? side : {}).flatMap(([name, info]) => {
    if (!isJson(info) || typeof info.name !== "string") return [];
    const type = typeof info.dtype === "string" ? info.dtype : "";
    return [{ name, edge: edgeOf(info.name), shape: dimensionsOf(info.tensorShape), type }];
  });
}

/** Of a model without a signature: its only placeholder, and what no node reads. */
function byNodes(nodes: ReadonlyMap<string, GraphNode>) {
  const all = [...nodes.values()];
  const read = new Set(all.flatMap(({ inputs }) => inputs.map(({ node }) => node)));
  const named = ({ name, attributes }: GraphNode): NamedTensor => ({
    name,
    edge: { node: name, output: 0 },
    shape: attributes.shape("shape"),
    type: attributes.type("dtype"),
  });
  return {
    inputs: all.filter(({ op }) => op === "Placeholder").map(named),
    outputs: all.filter(({ name, op }) => !read.has(name) && !/^(Const|Placeholder|NoOp)/.test(op)).map(named),
  };
}

const list = (tensors: readonly NamedTensor[]) => tensors.map(({ name }) => `"${name.slice(0, 60)}"`).join(", ");

/** Whether a shape is that of one value for each class, as far as it is known. */
const isOfClasses = ({ shape }: NamedTensor): boolean =>
  shape === undefined || shape.slice(1, -1).every((dim) => dim === 1 || dim === -1);

/**
 * @param json Of model.json.
 * @throws ConversionError if the graph does not have one input and an output.
 */
export function signatureOf(json: Json, nodes: ReadonlyMap<string, GraphNode>): Signature {
  const { signature = isJson(json.userDefinedMetadata) ? json.userDefinedMetadata.signature : undefined } = json;
  const stated = isJson(signature) ? signature : {};
  const found = byNodes(nodes);
  const inputs = tensorsOf(stated.inputs);
  const given = inputs.length > 0 ? inputs : found.inputs;
  const [input] = given;
  if (input === undefined || given.length > 1) {
    throw new ConversionError(
      `The model has ${given.length} inputs (${list(given)}); an image classifier has one, the picture.`,
    );
  }
  const outputs = tensorsOf(stated.outputs);
  const all = outputs.length > 0 ? outputs : found.outputs;
  if (all.length === 0) throw new ConversionError("The graph of the model has no output.");
  // Beside the classes a model may give the features that they are computed of.
  const classes = all.filter(isOfClasses);
  return { input, outputs: classes.length > 0 ? classes : all };
}
