/** Compares the labeler with LiteRT, if a Python has ai-edge-litert: both receive the same picture of noise. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { sizeOf } from "../../../worker/inference/constants.ts";
import { valuesOf } from "../../../worker/inference/input.ts";
import type { InspectedModel } from "../../../worker/model/inspect.ts";
import { inputFrom } from "../../../worker/model/layout.ts";
import { computationOf } from "../../../worker/model/precision.ts";
import { levelsOf } from "../../../worker/model/preprocess.ts";
import { ofOneScore, sigmoid, softmax } from "../../../worker/model/probabilities.ts";

const PROGRAM = fileURLToPath(new URL("survey.py", import.meta.url));

type Answer = { readonly outputs: Readonly<Record<string, number[]>> } | { readonly error: string };

/** The content of the file's own input tensor for pixels [height, width, 3]; undefined if the file resizes them. */
function tensorOf({ input, fileInput }: InspectedModel, pixels: Uint8Array): ArrayBufferView | undefined {
  if (sizeOf(fileInput.shape) !== sizeOf(input.shape)) return undefined;
  if (fileInput.type !== input.type) return pixels; // The network converts bytes to f32 itself.
  const values = valuesOf(inputFrom(pixels, levelsOf(input), input.layout, input.shape));
  if (input.type === "float32") return values;
  const zero = input.quantization?.zeroPoint[0] ?? 0;
  const stored = values.map((value) => value + zero);
  return input.type === "uint8" ? Uint8Array.from(stored) : Int8Array.from(stored);
}

/** Pixels of noise that are the same in every run. */
function noise(length: number): Uint8Array {
  const pixels = new Uint8Array(length);
  for (let i = 0, state = 1; i < length; i++) {
    state = (state * 48271) % 2147483647;
    pixels[i] = state & 255;
  }
  return pixels;
}

/** The labeler's probabilities for pixels [height, width, 3] of the network's input size. */
export async function probabilitiesOf(
  url: string,
  name: string,
  { input }: Pick<InspectedModel, "input">,
  pixels: Uint8Array,
  isFloat: boolean,
): Promise<number[]> {
  const image = { name: "image", shape: [1, input.height, input.width, 3], datatype: "UINT8", data: [...pixels] };
  const body = JSON.stringify({ inputs: [image], outputs: [{ name: "probabilities" }] });
  const query = isFloat ? "?precision=exact" : "";
  const response = await fetch(`${url}/v2/models/${name}/infer${query}`, { method: "POST", body });
  if (!response.ok) throw new Error(await response.text());
  const answer = (await response.json()) as { readonly outputs: readonly { readonly data: number[] }[] };
  return answer.outputs[0]?.data ?? [];
}

export class LiteRt {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #folder = mkdtempSync(join(tmpdir(), "edge-labeler-litert-"));

  private constructor(child: ChildProcess & { stdout: NodeJS.ReadableStream }) {
    this.#child = child;
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  }

  /** @returns Undefined if no Python has ai-edge-litert and NumPy. */
  static start(python = process.env.PYTHON ?? "python3"): LiteRt | undefined {
    const { status } = spawnSync(python, ["-c", "import ai_edge_litert.interpreter, flatbuffers, numpy"], {
      stdio: "ignore",
    });
    if (status !== 0) return undefined;
    return new LiteRt(spawn(python, [PROGRAM], { stdio: ["pipe", "pipe", "ignore"] }));
  }

  /**
   * @param file The path of the model.
   * @param name The name of the model at the labeler `url`.
   * @returns The largest difference of a confidence, or why the two were not compared.
   */
  async difference(file: string, model: InspectedModel, url: string, name: string): Promise<number | string> {
    const pixels = noise(model.input.height * model.input.width * 3);
    const values = join(this.#folder, "values.bin");
    const tensor = tensorOf(model, pixels);
    if (tensor === undefined) return "not compared, since the network resizes";
    writeFileSync(values, new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength));
    this.#child.stdin?.write(`${JSON.stringify({ file, values })}\n`);
    const { value, done } = await this.#lines.next();
    if (done) return "LiteRT ended";
    const answer = JSON.parse(value) as Answer;
    if ("error" in answer) return `LiteRT: ${answer.error.split("\n")[0]?.slice(0, 100)}`;
    const output = answer.outputs[model.graph.tensors[model.graph.outputs[0] ?? -1]?.name ?? ""];
    if (output === undefined) return "not compared, since LiteRT has another output";
    const theirs = this.#probabilities(output, model);
    const isFloat = computationOf(model.graph).precisions.includes("exact");
    const labeler = await probabilitiesOf(url, name, model, pixels, isFloat);
    if (labeler.length !== theirs.length) return `LiteRT has ${theirs.length} values, not ${labeler.length}`;
    return Math.max(...labeler.map((probability, i) => Math.abs(probability - (theirs[i] ?? 0))));
  }

  #probabilities(output: readonly number[], { output: kind, labels }: InspectedModel): readonly number[] {
    const [only = 0] = output;
    if (output.length === 1) return [...ofOneScore(only, kind !== "probabilities", labels.length)];
    if (kind === "multi-label-logits") return output.map(sigmoid);
    return kind === "logits" ? [...softmax(Float32Array.from(output))] : output;
  }

  stop(): void {
    this.#child.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
