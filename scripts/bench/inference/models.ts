/**
 * The networks that are measured. Each gets a folder in the cache with what the engines load: the TFLite file itself, the
 * same network as a tfjs GraphModel and as ONNX.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type InspectedModel, inspectModel } from "../../../worker/model/inspect.ts";
import { MODELS } from "../../build/model-index.ts";
import { withFloat32Weights } from "./convert/float32.ts";
import { toGraphModel } from "./convert/graph-model.ts";
import { toOnnx } from "./convert/onnx.ts";

const CACHE = "scripts/bench/.cache";
/** Where workerd serves the models from. */
export const MODEL_CACHE = `${CACHE}/models`;

export interface Network {
  readonly name: string;
  readonly title: string;
  readonly quantised: boolean;
  /** Whether its file lies in the repository; the others are looked for in LABELER_REFERENCE. */
  readonly shipped: boolean;
  /** Images of test/fixtures and the line of labels.txt that native TensorFlow Lite finds in them. */
  readonly expected: Readonly<Record<string, number>>;
}

/** A network whose folder is in the cache. */
export interface Prepared extends Network {
  readonly input: InspectedModel["input"];
}

const WITH_BACKGROUND = { "coffee.png": 968, "chelsea.png": 286 };

export const NETWORKS: readonly Network[] = [
  {
    name: "mobilenet_v1_1.0_224",
    title: "MobileNet v1, float",
    quantised: false,
    shipped: true,
    expected: WITH_BACKGROUND,
  },
  {
    name: "mobilenet_quant_v1_224",
    title: "MobileNet v1, uint8",
    quantised: true,
    shipped: true,
    expected: WITH_BACKGROUND,
  },
  {
    name: "mobilenet_v2_1.0_224_quant",
    title: "MobileNet v2, uint8",
    quantised: true,
    shipped: false,
    expected: WITH_BACKGROUND,
  },
  {
    name: "tf2_mobilenet_v2_1.0_224_ptq",
    title: "MobileNet v2, int8 per channel",
    quantised: true,
    shipped: false,
    expected: WITH_BACKGROUND,
  },
  {
    name: "efficientnet_lite0",
    title: "EfficientNet-Lite0, float",
    quantised: false,
    shipped: true,
    expected: { "coffee.png": 967, "chelsea.png": 285 },
  },
];

const read = (path: string) => new Uint8Array(readFileSync(path));

function fileOf({ name, shipped }: Network): string {
  if (shipped) return join(MODELS, name, "model.tflite");
  const reference = process.env.LABELER_REFERENCE;
  if (reference === undefined) throw new Error("it is not in the repository: set LABELER_REFERENCE");
  return join(reference, "models", `${name}.tflite`);
}

/**
 * The paths of the files that make a model of a network, by their names in its folder.
 *
 * @throws Error that says why it cannot be measured here.
 */
export function filesOf(network: Network): Readonly<Record<string, string>> {
  const tflite = fileOf(network);
  if (!existsSync(tflite)) throw new Error(`there is no ${tflite}`);
  // Those of the reference data have MobileNet v1's labels.
  const own = join(MODELS, network.shipped ? network.name : "mobilenet_v1_1.0_224");
  const spec = join(own, "model.json");
  return {
    "model.tflite": tflite,
    "labels.txt": join(own, "labels.txt"),
    ...(network.shipped && existsSync(spec) && { "model.json": spec }),
  };
}

/**
 * Writes the folder of a network into the cache.
 *
 * @throws Error that says why it cannot be measured here.
 */
export async function prepareModel(network: Network): Promise<Prepared> {
  const paths = filesOf(network);
  const files = {
    tflite: read(paths["model.tflite"]),
    labels: readFileSync(paths["labels.txt"], "utf8"),
    spec: paths["model.json"] === undefined ? "{}" : readFileSync(paths["model.json"], "utf8"),
  };
  const { graph, input } = await inspectModel(files);
  const folder = join(MODEL_CACHE, network.name);
  mkdirSync(folder, { recursive: true });
  const { json, weights } = toGraphModel(graph);
  const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);
  write("model.tflite", files.tflite);
  write("float32.tflite", withFloat32Weights(files.tflite) ?? files.tflite);
  write("labels.txt", files.labels);
  write("spec.json", files.spec);
  write("input.json", JSON.stringify(input));
  write("tfjs.json", json);
  write("tfjs.bin", weights);
  write("model.onnx", toOnnx(graph));
  return { ...network, input };
}
