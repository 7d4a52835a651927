/** Graph models of TensorFlow.js that are put together here: what is read beside them, and how they are refused. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { type Converted, convertTfjs } from "../../scripts/user/model/convert/convert.ts";
import { readSource } from "../../scripts/user/model/sources.ts";
import { inspectModel } from "../../worker/model/inspect.ts";
import { type Attributes, type Given, graphModel, integers, text } from "./graph-def.ts";

/** Converts a model with files beside it. */
function convert(given: Given) {
  const { json, shard } = graphModel(given);
  const files = new Map<string, Uint8Array>([["group1-shard1of1.bin", shard]]);
  for (const [name, content] of Object.entries(given.files ?? {})) files.set(name, new TextEncoder().encode(content));
  return convertTfjs(json, async (path) => files.get(path));
}

/** The mean of each colour as its score. */
const MEAN: Given = {
  nodes: { scores: ["Mean", ["image", "axes"]] },
  weights: { axes: [[1, 2], [2]] },
};

const inspect = ({ tflite, spec }: Converted) => inspectModel({ tflite, spec });

const convolution = (attributes: Attributes): Given => ({
  nodes: {
    conv: ["Conv2D", ["image", "kernel"], { strides: integers(1, 1, 1, 1), padding: text("VALID"), ...attributes }],
    scores: ["Mean", ["conv", "axes"]],
  },
  weights: {
    kernel: [
      [1, 2, 3],
      [1, 1, 3, 1],
    ],
    axes: [[1, 2], [2]],
  },
});

describe("a graph model", () => {
  it("does without a signature", async () => {
    const { graph } = await inspect(await convert(MEAN));
    expect(graph.operators.map(({ op }) => op)).toEqual(["MEAN"]);
    expect(graph.tensors[graph.outputs[0] ?? -1]).toMatchObject({ name: "scores", shape: [1, 3] });
  });

  it("keeps the names of several outputs, of which model.json names one", async () => {
    const { tflite } = await convert({
      ...MEAN,
      nodes: { ...MEAN.nodes, likely: ["Softmax", ["scores"]] },
      outputs: { logits: "scores:0", probabilities: "likely:0" },
    });
    await expect(inspectModel({ tflite })).rejects.toThrow(/2 outputs \("logits" .*, "probabilities" /);
    const { graph, output } = await inspectModel({ tflite, spec: '{"outputTensor":"probabilities"}' });
    expect(graph.operators.map(({ op }) => op)).toEqual(["MEAN", "SOFTMAX"]);
    expect(output).toBe("probabilities");
  });

  it("gives scores where it ends in the number of the top-1 class", async () => {
    const nodes: Given["nodes"] = { ...MEAN.nodes, class: ["ArgMax", ["scores", "axes"]] };
    const { graph } = await inspect(await convert({ ...MEAN, nodes, outputs: { class: "class:0" } }));
    expect(graph.operators.map(({ op }) => op)).toEqual(["MEAN"]);
  });

  it("of whole numbers takes the pixels themselves", async () => {
    const { input } = await inspect(await convert({ ...MEAN, type: "DT_UINT8", outputs: { scores: "scores:0" } }));
    expect(input).toMatchObject({ guessed: false, normalization: { mean: [0, 0, 0], std: [1, 1, 1] } });
  });

  it("of AutoML Vision takes the middle of a picture, in −1…1", async () => {
    const given = { ...MEAN, shape: [1, 224, 224, 3] };
    const converted = await convert({ ...given, files: { "dict.txt": "a\nb\nc\n" } });
    expect(converted.notes[0]).toMatch(/that AutoML Vision exports/);
    const { input, crop } = await inspect(converted);
    expect(crop).toBe("center");
    expect(input.normalization).toEqual({ mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] });
    expect((await convert(given)).spec).toBeUndefined();
  });

  it("has margins where its paddings are stated", async () => {
    const explicit = { padding: text("EXPLICIT"), explicit_paddings: integers(0, 0, 1, 0, 2, 3, 0, 0) };
    const { graph } = await inspect(await convert(convolution(explicit)));
    expect(graph.operators.map(({ op }) => op)).toEqual(["PAD", "CONV_2D", "MEAN"]);
    const padded = graph.operators[0]?.outputs[0] ?? -1;
    expect(graph.tensors[padded]?.shape).toEqual([1, 9, 13, 3]);
  });
});

describe("the files of a graph model", () => {
  const folder = "test/fixtures/graph-models/layers/graph";

  it("are found by their folder and in a zip, with labels beside them", async () => {
    const { tflite } = await readSource(`${folder}/model.json`);
    expect((await readSource(folder)).tflite).toEqual(tflite);
    const entries = ["model.json", "group1-shard1of1.bin"].map((name) => [
      `web/${name}`,
      readFileSync(`${folder}/${name}`),
    ]);
    const temporary = mkdtempSync(join(tmpdir(), "edge-labeler-graph-"));
    try {
      const zip = join(temporary, "web.zip");
      writeFileSync(zip, zipSync({ ...Object.fromEntries(entries), "web/dict.txt": strToU8("a\nb\nc\nd\n") }));
      const source = await readSource(zip);
      expect(source.tflite).toEqual(tflite);
      expect([...source.lists]).toEqual([["web/dict.txt", "a\nb\nc\nd\n"]]);
    } finally {
      rmSync(temporary, { recursive: true });
    }
  });

  it("may have whole numbers that are quantised, which are rounded as TensorFlow.js rounds them", async () => {
    const { json } = graphModel(MEAN);
    const quantization = { dtype: "uint8", scale: 0.33, min: 1 };
    const weights = [{ name: "axes", shape: [2], dtype: "int32", quantization }];
    const quantised = { ...json, weightsManifest: [{ paths: ["group1-shard1of1.bin"], weights }] };
    const { tflite } = await convertTfjs(quantised, async (path) =>
      path.endsWith(".bin") ? Uint8Array.of(0, 3) : undefined,
    );
    expect(tflite).toEqual((await convert(MEAN)).tflite);
  });

  it.each(["../weights.bin", "/etc/passwd", "a/../../b", "C:\\b", "a\0b"])("are not %j", async (path) => {
    const { json } = graphModel(MEAN);
    const [group] = json.weightsManifest;
    if (group !== undefined) group.paths = [path];
    const read = async (name: string) => {
      if (name !== "metadata.json") throw new Error(`${name} was read`);
      return undefined;
    };
    await expect(convertTfjs(json, read)).rejects.toThrow("which is not beside it");
  });

  it("may have texts among the weights, which no classifier reads", async () => {
    const { json, shard } = graphModel(MEAN);
    const [group] = json.weightsManifest;
    group?.weights.unshift({ name: "names", shape: [2], dtype: "string" });
    const texts = Uint8Array.of(3, 0, 0, 0, 0x63, 0x61, 0x74, 0, 0, 0, 0);
    const { tflite } = await convertTfjs(json, async (path) =>
      path.endsWith(".bin") ? Buffer.concat([texts, shard]) : undefined,
    );
    expect(tflite).toEqual((await convert(MEAN)).tflite);
  });
});

describe("a graph model is refused", () => {
  const mean = (op: string, name = "x"): Given["nodes"] => ({
    [name]: [op, ["image"]],
    scores: ["Mean", [name, "axes"]],
  });
  const refusals: readonly (readonly [what: string, Given, RegExp])[] = [
    ["with channels first", convolution({ data_format: text("NCHW") }), /"conv" \(Conv2D\) has data_format "NCHW"/],
    [
      "with an unknown operation",
      { ...MEAN, nodes: mean("Lgamma") },
      /"x" \(Lgamma\) is of an operation that is not sup/,
    ],
    [
      "with the error function alone",
      { ...MEAN, nodes: mean("Erf") },
      /"x" \(Erf\) computes the error function outside/,
    ],
    ["with attention", { ...MEAN, nodes: mean("Einsum") }, /"x" \(Einsum\) computes attention/],
    ["if it is a detector", { ...MEAN, nodes: mean("NonMaxSuppressionV5") }, /This is an object detector/],
    ["with a loop", { ...MEAN, nodes: mean("TensorListReserve") }, /"x" \(TensorListReserve\) belongs to a loop/],
    ["with a table of labels", { ...MEAN, nodes: mean("LookupTableFindV2") }, /looks its labels up in a table/],
    [
      "with something of detectors by name",
      { ...MEAN, nodes: mean("Relu", "BoxPredictor_0/Relu") },
      /This is an object detector/,
    ],
    [
      "if it enlarges values in the middle",
      resizing(),
      /"big" \(ResizeBilinear\) changes the size of values in the mid/,
    ],
    [
      "if it gives a value for each place",
      { nodes: mean("Relu"), outputs: { map: "x:0" } },
      /networks for segmentation/,
    ],
    ["with a second input", second(), /"other" \(Placeholder\) is a second input/],
    [
      "of an open size",
      { ...MEAN, shape: [-1, -1, -1, 3] },
      /shape \[open, open, open, 3\], in which the size is open/,
    ],
    ["of several pictures", { ...MEAN, shape: [16, 8, 8, 3] }, /takes 16 pictures at once/],
    ["without weights", { nodes: { ...MEAN.nodes, axes: ["Const", []] } }, /"axes" \(Const\) is not among the weights/],
    ["without a node", { nodes: MEAN.nodes }, /has no node "axes"/],
    [
      "that goes in a circle",
      { nodes: { scores: ["Relu", ["x"]], x: ["Relu", ["scores"]] }, outputs: { y: "x" } },
      /own output/,
    ],
    ["if it grows without end", growing(), /would give a constant of shape \[\d{7,}\]/],
    ["if it has an endless constant without values", endless(), /would give a constant of shape \[1073741824,0\]/],
    ["if it gathers for each of several pictures", gathering(), /"y" \(GatherV2\) has batch_dims 1/],
    ["if nothing depends on the picture", { nodes: { y: ["Shape", ["image"]] } }, /do not depend on the picture/],
  ];
  it.each(refusals)("%s", async (_, given, reason) => {
    await expect(convert(given).then(inspect)).rejects.toThrow(reason);
  });

  function resizing(): Given {
    const nodes: Given["nodes"] = {
      small: ["Relu", ["image"]],
      big: ["ResizeBilinear", ["small", "size"]],
      scores: ["Mean", ["big", "axes"]],
    };
    return { nodes, weights: { ...MEAN.weights, size: [[16, 16], [2]] } };
  }

  /** A list that is joined with itself, again and again. */
  function growing(): Given {
    const doubled = Array.from({ length: 40 }, (_, i) => {
      const before = i === 0 ? "axes" : `x${i - 1}`;
      return [`x${i}`, ["ConcatV2", [before, before, "zero"]]] as const;
    });
    const nodes: Given["nodes"] = { ...Object.fromEntries(doubled), scores: ["Mean", ["image", "x39"]] };
    return { nodes, weights: { ...MEAN.weights, zero: [[0], []] } };
  }

  /** Of no values, however long its first dimension. */
  function endless(): Given {
    const nodes: Given["nodes"] = {
      none: ["Fill", ["sizes", "zero"]],
      part: ["Slice", ["none", "begins", "all"]],
      rows: ["Reshape", ["part", "zeros"]],
      scores: ["Mean", ["image", "rows"]],
    };
    const weights: Given["weights"] = {
      sizes: [[2 ** 30, 0], [2]],
      zero: [[0], []],
      zeros: [[0], [1]],
      begins: [[0, 0], [2]],
      all: [[-1, -1], [2]],
    };
    return { nodes, weights };
  }

  function gathering(): Given {
    const nodes: Given["nodes"] = {
      y: ["GatherV2", ["table", "rows", "one"], { batch_dims: { i: "1" } }],
      x: ["Add", ["image", "y"]],
      scores: ["Mean", ["x", "axes"]],
    };
    const weights: Given["weights"] = {
      ...MEAN.weights,
      table: [
        [1, 2, 3, 4],
        [2, 2],
      ],
      rows: [
        [0, 1],
        [2, 1],
      ],
      one: [[1], []],
    };
    return { nodes, weights };
  }

  function second(): Given {
    const nodes: Given["nodes"] = { other: ["Placeholder", []], x: ["Add", ["image", "other"]] };
    return {
      nodes: { ...nodes, scores: ["Mean", ["x", "axes"]] },
      weights: MEAN.weights ?? {},
      outputs: { y: "scores" },
    };
  }
});
