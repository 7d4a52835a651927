/** The reader of model files, and what it refuses; whole graphs are run in test/unit/inference and test/unit/model. */
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { readGraph } from "../../../worker/inference/operators/registry.ts";
import { assertSupported } from "../../../worker/inference/support.ts";
import { memory } from "../../../worker/inference/tfjs.bundle.js";
import { Classifier } from "../../../worker/model/classifier.ts";
import { inspectModel } from "../../../worker/model/inspect.ts";
import { Network } from "../../../worker/model/network.ts";
import { finish } from "../../../worker/runtime/parts.ts";
import { fixture, fixtureJson } from "../files.ts";

const LABELS = "red\ngreen\nblue\ngrey\n";

/** Why each of the bad files is refused, in our words; their list with reasons is test/fixtures/ops/bad.json. */
const REASONS: Record<string, RegExp> = {
  "bad-custom-op": /Operator \d+ \(CUSTOM Foo\) is not supported; docs\/reference\/models\.md lists what is/,
  "bad-unsupported-op": /Operator \d+ \(RESIZE_BILINEAR\) is not supported/,
  "bad-op-above-127": /Operator \d+ \(SIGN\) is not supported/,
  "bad-neg-int8": /Operator 0 \(NEG\) is computed on int8, for which TensorFlow Lite has no kernel to rely on/,
  "bad-div-uint8": /Operator 0 \(DIV\) is computed on uint8/,
  "bad-maximum-scales": /Operator 0 \(MAXIMUM\) has scales that differ/,
  "bad-new-axis": /Operator 0 \(STRIDED_SLICE\) leaves dimensions out or adds some/,
  "bad-fused-tanh": /fused activation TANH/,
  "bad-rank3": /input is float32 \[[\d, ]+\]; an image classifier takes \[1, height, width, 3\]/,
  "bad-int64-io": /int64/,
  "bad-short-constant": /has \d+ bytes, where its shape .* ask for/,
  "bad-tensor-index": /needs a tensor that the file does not have \(number 99\)/,
  "bad-buffer-index": /before it is computed/,
  "bad-order": /before it is computed/,
  "bad-no-producer": /before it is computed/,
  "bad-two-inputs": /has 2 inputs/,
  "bad-dynamic-shape": /height and width are open/,
  "bad-no-subgraph": /damaged or cut short \(there is no subgraph\)/,
  "bad-truncated": /damaged or cut short/,
  "bad-identifier": /not a TensorFlow Lite file/,
  "bad-root-offset": /damaged or cut short/,
  "bad-empty": /not a TensorFlow Lite file/,
};

describe("a file that is no model for this labeler is refused with the reason:", async () => {
  const bad = await fixtureJson<{ name: string; file: string; reason: string }[]>("ops/bad.json");

  it.each(bad)("$reason", async ({ name, file }) => {
    await initBackend();
    const before = memory().numTensors;
    const tflite = await fixture(`ops/${file}`);
    // As npm start judges it, and then as the Worker loads it: some of these files are single operators.
    const load = async () => {
      assertSupported(readGraph(tflite));
      await Classifier.load({ tflite, labels: LABELS });
    };
    await expect(load()).rejects.toMatchObject({
      kind: "model-unusable",
      message: expect.stringMatching(REASONS[name]),
    });
    expect(memory().numTensors).toBe(before);
  });

  it("any prefix of a good file", async () => {
    const file = await fixture("ops/tiny-float.tflite");
    for (let length = 0; length < file.length; length += 13) {
      const load = Classifier.load({ tflite: file.slice(0, length), labels: LABELS });
      await expect(load, `${length} bytes`).rejects.toMatchObject({ kind: "model-unusable" });
    }
  });
});

/** Follows the fields of FlatBuffers tables, and vectors of tables by index, to a vector of int32. */
function int32Vector(file: Uint8Array, ...path: readonly (readonly [field: number, index?: number])[]): DataView {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let table = view.getUint32(0, true);
  for (const [field, index] of path) {
    const vtable = table - view.getInt32(table, true);
    const at = table + view.getUint16(vtable + 4 + 2 * field, true);
    const vector = at + view.getUint32(at, true);
    if (index === undefined) return new DataView(view.buffer, view.byteOffset + vector + 4);
    const element = vector + 4 + 4 * index;
    table = element + view.getUint32(element, true);
  }
  throw new Error("the path ends at a table");
}

describe("a graph with a cycle, or with a tensor of two values, is refused when it is read:", () => {
  /** Of subgraph 0. */
  const outputsOf = (operator: number) => [[2, 0], [3, operator], [2]] as const;
  const inputsOf = (operator: number) => [[2, 0], [3, operator], [1]] as const;

  async function damaged(change: (file: Uint8Array) => void) {
    const tflite = await fixture("ops/tiny-float.tflite");
    change(tflite);
    return { tflite, labels: LABELS };
  }
  const first = async () => readGraph(await fixture("ops/tiny-float.tflite")).operators[0];

  it("an operator that overwrites the input of the graph", async () => {
    const model = await damaged((file) => {
      const input = int32Vector(file, ...inputsOf(0)).getInt32(0, true);
      int32Vector(file, ...outputsOf(0)).setInt32(0, input, true);
    });
    const message = expect.stringMatching(
      /^Operator 0 \(\w+\) overwrites tensor \d+ \(".*"\), which is an input of the graph\. Convert the model again\.$/,
    );
    expect(() => readGraph(model.tflite)).toThrow(expect.objectContaining({ kind: "model-unusable", message }));
    await expect(inspectModel(model)).rejects.toMatchObject({ kind: "model-unusable", message });
    await expect(Classifier.load(model)).rejects.toMatchObject({ kind: "model-unusable", message });
  });

  it("an operator that overwrites a constant", async () => {
    const { inputs } = await first();
    const { tflite } = await damaged((file) => int32Vector(file, ...outputsOf(0)).setInt32(0, inputs[1], true));
    expect(() => readGraph(tflite)).toThrow(
      /^Operator 0 \(\w+\) overwrites tensor \d+ \(".*"\), which is a constant\./,
    );
  });

  it("an operator that overwrites what another computes", async () => {
    const { outputs } = await first();
    const { tflite } = await damaged((file) => int32Vector(file, ...outputsOf(1)).setInt32(0, outputs[0], true));
    expect(() => readGraph(tflite)).toThrow(
      /^Operator 1 \(\w+\) overwrites tensor \d+ \(".*"\), which operator 0 computes\./,
    );
  });

  it("an operator that reads what it computes, and one that reads what comes later", async () => {
    const outputs = readGraph(await fixture("ops/tiny-float.tflite")).operators.map(({ outputs: [output] }) => output);
    for (const [later, reason] of [
      [0, "which it computes itself"],
      [1, "which operator 1 computes only later"],
    ] as const) {
      const { tflite } = await damaged((file) => int32Vector(file, ...inputsOf(0)).setInt32(0, outputs[later], true));
      expect(() => readGraph(tflite)).toThrow(`before it is computed: ${reason}. Convert the model again.`);
    }
  });
});

describe("the input's normalisation, where neither model.json nor metadata state it", () => {
  const all = (value: number) => [value, value, value];

  it.each([
    ["tiny-float", "0 to 1, as most networks are trained", { mean: all(0), std: all(255) }],
    ["tiny-rescaled", "none: the network multiplies pixels by 1/127.5", { mean: all(0), std: all(1) }],
    ["tiny-centred", "none: the network subtracts a mean of pixels", { mean: all(0), std: all(1) }],
    ["tiny-divided", "none: the network divides pixels by 127.5 or so", { mean: all(0), std: all(1) }],
    ["tiny-calibrated", "0 to 1: that is what it quantises", { mean: all(0), std: all(255) }],
    ["tiny-centred-resized", "none: the network subtracts a mean before it resizes", { mean: all(0), std: all(1) }],
    ["tiny-cast", "none: the network turns bytes into floats itself", { mean: all(0), std: all(1) }],
    ["tiny-merged-255", "none: 1/255 is merged into the convolution", { mean: all(0), std: all(1) }],
    ["tiny-merged-127", "none: 1/127.5 and −1 are merged into the convolution", { mean: all(0), std: all(1) }],
    ["tiny-grey", "-1 to 1: its bias does not subtract a mean", { mean: all(127.5), std: all(127.5) }],
    [
      "tiny-planes",
      "that of ImageNet, as PyTorch's networks are trained",
      { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
    ],
    ["tiny-uint8", "none: its bytes are pixels", undefined],
  ])("%s: %s", async (name, _, normalization) => {
    const model = await inspectModel({ tflite: await fixture(`ops/${name}.tflite`), labels: LABELS });
    expect(model.input.normalization).toEqual(normalization);
    const seen = /rescaled|centred|divided|calibrated|cast|merged|uint8/.test(name);
    expect(model.input.guessed).toBe(!seen);
  });

  it.each([
    ["tiny-merged-255", 100, { mean: all(0), std: all(255) }],
    ["tiny-merged-127", 20, { mean: all(0), std: all(255) }],
    ["tiny-merged-127", 100, { mean: all(0), std: all(255) }],
  ])("%s with weights that are %s times as large is a guess", async (name, factor, normalization) => {
    const tflite = await fixture(`ops/${name}.tflite`);
    const [convolution] = readGraph(tflite).operators;
    const { data } = readGraph(tflite).tensors[convolution.inputs[1]];
    const view = new DataView(data?.buffer ?? new ArrayBuffer(), data?.byteOffset, data?.byteLength);
    for (let i = 0; i < view.byteLength; i += 4) view.setFloat32(i, view.getFloat32(i, true) * factor, true);
    expect((await inspectModel({ tflite, labels: LABELS })).input).toMatchObject({ guessed: true, normalization });
  });

  it("model.json goes before what is seen of the network", async () => {
    const spec = JSON.stringify({ input: { mean: 100, std: 50 } });
    const model = await inspectModel({ tflite: await fixture("ops/tiny-rescaled.tflite"), labels: LABELS, spec });
    expect(model.input.normalization).toEqual({ mean: all(100), std: all(50) });
  });
});

describe("labels and metadata inside the file", () => {
  it.each(["labels-in-zip", "labels-in-zip-deflated", "labels-in-zip-relative"])(
    "%s: labels and normalisation are found",
    async (name) => {
      const model = await inspectModel({ tflite: await fixture(`ops/${name}.tflite`) });
      expect(model.labels.length).toBe(4);
      expect(model.labels).toEqual(["background", "tabby cat", expect.any(String), expect.stringContaining("l'été")]);
      expect(model.input.normalization).toEqual({ mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] });
    },
  );

  it("labels.txt beside the file goes before those inside", async () => {
    const model = await inspectModel({ tflite: await fixture("ops/labels-in-zip.tflite"), labels: LABELS });
    expect(model.labels).toEqual(["red", "green", "blue", "grey"]);
  });

  it("a damaged archive is a reason to refuse, not a crash", async () => {
    const file = await fixture("ops/labels-in-zip-deflated.tflite");
    const archive = new TextDecoder("latin1").decode(file).indexOf("PK\u0003\u0004");
    file.fill(0xff, archive + 40, archive + 50);
    await expect(inspectModel({ tflite: file })).rejects.toMatchObject({ kind: "model-unusable" });
  });
});

describe("what stands before or behind a classifier", () => {
  const pixels = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => (i * 37) % 256);
  const scores = async (name: string, labels: string | undefined = LABELS, spec?: string) => {
    const model = await inspectModel({ tflite: await fixture(`ops/${name}.tflite`), labels, spec });
    const network = await Network.load(model, "exact");
    const found = finish(network.probabilities(network.inputFrom(pixels)));
    network.dispose();
    return [...found];
  };
  beforeAll(initBackend);

  it.each([
    ["tiny-resized", "a change of size, which is the labeler's work"],
    ["tiny-arg-max", "the number of the best class"],
    ["tiny-external", "weights behind the FlatBuffer"],
    ["tiny-two-outputs", "a second output, for which there are not enough labels"],
  ])("%s: %s", async (name) => {
    expect(await scores(name)).toEqual(await scores("tiny-float"));
  });

  it("a change of type: the network is given pixels", async () => {
    const signed = JSON.stringify({ input: { mean: 127.5, std: 127.5 } });
    const [cast, float] = [await scores("tiny-cast"), await scores("tiny-float", LABELS, signed)];
    for (const [i, value] of cast.entries()) expect(value).toBeCloseTo(float[i], 6);
  });

  it("an input that is resized has the size of what follows", async () => {
    for (const name of ["tiny-resized", "tiny-centred-resized"]) {
      const { input } = await inspectModel({ tflite: await fixture(`ops/${name}.tflite`), labels: LABELS });
      expect(input).toMatchObject({ width: 8, height: 8, shape: [1, 8, 8, 3] });
    }
  });

  it("several outputs, of which none is named or fits, are refused with their names", async () => {
    const message = /2 outputs \("(t\d+)" float32 \[1, 4\], "(t\d+)" float32 \[1, 8\]\).*\{"outputTensor": "NAME"\}/;
    const error = await scores("tiny-two-outputs", "one\ntwo\n").catch((e: Error) => e.message);
    expect(error).toMatch(message);
    const [, first, second] = message.exec(`${error}`) ?? [];
    const eight = Array.from({ length: 8 }, (_, i) => `class ${i}`).join("\n");
    const named = await scores(
      "tiny-two-outputs",
      eight,
      JSON.stringify({ outputTensor: second, output: "probabilities" }),
    );
    const float = await scores("tiny-float");
    expect(named).toEqual([...float, ...float.map((value) => -value)]);
    await expect(scores("tiny-two-outputs", LABELS, '{"outputTensor":"x"}')).rejects.toThrow(
      `model.json, outputTensor: the network's outputs are "${first}" float32 [1, 4], "${second}" float32 [1, 8].`,
    );
  });

  it("without labels, classes are called by their numbers", async () => {
    const tflite = await fixture("ops/tiny-float.tflite");
    expect(await inspectModel({ tflite })).toMatchObject({ labels: ["0", "1", "2", "3"], numbered: true });
    expect(await inspectModel({ tflite, labels: LABELS })).toMatchObject({ numbered: false });
  });

  it.each([
    ["a\nb\nc\nd\ne\n", /has 5 lines, .* 4 classes.*Is its first line a background class/],
    ["a\nb\nc\n", /has 3 lines, .* 4 classes.*put a line "background" first/],
    ["a\nb\n", /one line a class is needed\.$/],
  ])("labels that do not fit name the usual cause", async (labels, message) => {
    await expect(inspectModel({ tflite: await fixture("ops/tiny-float.tflite"), labels })).rejects.toThrow(message);
  });
});

describe("readGraph", () => {
  it("reads tensors, operators and options", async () => {
    const graph = readGraph(await fixture("ops/tiny-float.tflite"));
    expect(graph.operators.map(({ op }) => op)).toContain("CONV_2D");
    const conv = graph.operators.find(({ op }) => op === "CONV_2D");
    expect(conv).toMatchObject({
      options: { stride: expect.any(Array), padding: expect.stringMatching(/same|valid/) },
    });
    expect(graph.tensors[graph.inputs[0]]).toMatchObject({ shape: [1, 8, 8, 3], type: "float32" });
  });
});
