/** The evaluation of the samples of `npm run bench`, and the files that it writes for the other engines. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { withFloat32Weights } from "../../scripts/bench/inference/convert/float32.ts";
import { toGraphModel } from "../../scripts/bench/inference/convert/graph-model.ts";
import { toOnnx } from "../../scripts/bench/inference/convert/onnx.ts";
import { encode } from "../../scripts/bench/inference/convert/protobuf.ts";
import { ENGINES } from "../../scripts/bench/inference/engines.ts";
import { speedGoals } from "../../scripts/bench/inference/goals.ts";
import type { Result } from "../../scripts/bench/inference/measure.ts";
import { NETWORKS } from "../../scripts/bench/inference/models.ts";
import { speedHead, speedLines, speedRows } from "../../scripts/bench/inference/speed-report.ts";
import { median } from "../../scripts/bench/inference/statistics.ts";
import { realValues } from "../../worker/inference/constants.ts";
import { readGraph } from "../../worker/inference/operators/registry.ts";

const read = (path: string) => new Uint8Array(readFileSync(path));
const engine = (key: string) => {
  const found = ENGINES.find((candidate) => candidate.key === key);
  if (found === undefined) throw new Error(`there is no engine ${key}`);
  return found;
};

const CONDITION = { name: "as it is", flags: [] };
const [FLOAT] = NETWORKS;
const result = (key: string, cpu: readonly number[], residentBytes = 0): Result => ({
  engine: engine(key),
  samples: cpu.map((time) => ({ cpu: time, wall: 2 * time })),
  details: { residentBytes },
});

describe("the table", () => {
  const rows = speedRows(FLOAT, CONDITION, [
    result("exact", [10, 30, 20], 33 * 2 ** 20),
    result("tfjs", [50, 40, 31]),
    { engine: engine("litert"), samples: [], failure: "it does | not start\nat all" },
  ]);

  it("has medians, and ratios of medians", () => {
    expect(rows[0]).toMatchObject({ cpuMs: 20, wallMs: 40, overTfjs: 2, rounds: 3 });
    expect(rows[0].overLiteRT).toBeUndefined();
    expect(rows[2]).toMatchObject({ failure: "it does | not start\nat all", rounds: 0 });
  });

  it("has as many cells in each line as in its head, whatever a failure says", () => {
    const cells = (line: string) => line.replaceAll("\\|", "").split("|").length;
    const lines = speedLines(rows).split("\n");
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(cells(line)).toBe(cells(speedHead().split("\n")[0]));
  });

  it("fails goals that are missed, and leaves out those that were not measured", () => {
    expect(speedGoals(rows)).toEqual([
      { goal: "MobileNet v1, float, exact, as it is: at least 1.5× stock tfjs", pass: true, figure: "2.00×" },
      { goal: "MobileNet v1, float, exact: at most 32 MB for the model", pass: false, figure: "33.0 MB" },
    ]);
  });

  it("takes the mean of the middle two as the median of an even number", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });
});

describe("the files for other engines", () => {
  it("have the weights of a float16 file in float32, without their DEQUANTIZE", () => {
    const file = read("test/fixtures/ops/chain-f16.tflite");
    const [before, changed] = [readGraph(file), withFloat32Weights(file)];
    if (changed === undefined) throw new Error("the fixture has no float16 weights");
    const after = readGraph(changed);
    const named = (graph: typeof before) => graph.tensors.filter(({ type, data }) => type === "float16" && data);
    expect(named(before).length).toBeGreaterThan(0);
    expect(named(after)).toEqual([]);
    for (const tensor of named(before)) {
      expect(realValues(after.tensors[tensor.index])).toEqual(realValues(tensor));
    }
    expect(after.operators.map(({ op }) => op)).toEqual(
      before.operators.map(({ op }) => op).filter((op) => op !== "DEQUANTIZE"),
    );
    expect(after.operators.every(({ inputs }) => inputs.every((index) => index < after.tensors.length))).toBe(true);
  });

  it("are left alone where there is nothing to change", () => {
    expect(withFloat32Weights(read("test/fixtures/ops/chain-f32.tflite"))).toBeUndefined();
  });

  it("hold every weight of the network", () => {
    const graph = readGraph(read("model-assets/mobilenet_v1_1.0_224/model.tflite"));
    const values = graph.tensors
      .filter(({ type, data }) => type === "float32" && data !== undefined)
      .reduce((sum, tensor) => sum + realValues(tensor).length, 0);
    const { json, weights } = toGraphModel(graph);
    const [{ weights: specs }] = JSON.parse(json).weightsManifest as {
      weights: { dtype: string; shape: number[] }[];
    }[];
    const sizes = specs.map(({ shape }) => shape.reduce((product, size) => product * size, 1));
    expect(weights.length).toBe(4 * sizes.reduce((sum, size) => sum + size, 0));
    const floats = specs.map(({ dtype }, i) => (dtype === "float32" ? sizes[i] : 0));
    expect(floats.reduce((sum, size) => sum + size, 0)).toBe(values);
    expect(toOnnx(graph).length).toBeGreaterThan(4 * values);
  });

  it("are protobuf as its specification has it", () => {
    // https://protobuf.dev/programming-guides/encoding/: 150 as field 1, "testing" as field 2, a message as field 3.
    const bytes = encode({ 1: 150, 2: "testing", 3: { message: { 1: 150 } } });
    expect(Buffer.from(bytes).toString("hex")).toBe(`089601${"120774657374696e67"}1a03089601`);
  });
});
