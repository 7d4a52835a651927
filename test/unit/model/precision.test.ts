/** The precision that a network's graph predicts, compared with the plan that is then made. */
import { expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { readGraph } from "../../../worker/inference/operators/registry.ts";
import { makeRunner } from "../../../worker/inference/runner.ts";
import { precisionFor } from "../../../worker/model/index-entry.ts";
import { computationOf } from "../../../worker/model/precision.ts";
import { fixture } from "../files.ts";

const graph = async (name: string) => readGraph(await fixture(`ops/${name}.tflite`));

it.each([
  ["tiny-float", ["exact", "fast"], "plan"],
  ["tiny-int8", ["quantised"], "plan"],
  ["tiny-uint8", ["quantised"], "plan"],
  ["chain-f16", ["exact", "fast"], "plan"],
  ["chain-u8-in-i8-body", ["quantised"], "plan"],
  ["chain-u8-dequantize-tail", ["quantised"], "plan"],
  ["softmax-f32-rows", ["exact", "fast"], "plan"],
  ["tiny-gated", ["exact"], "tfjs"],
])("%s can be %j and runs on %s", async (name, precisions, engine) => {
  expect(computationOf(await graph(name))).toMatchObject({ precisions, engine });
});

it("says what then runs the network, why, and nearly how much memory that takes", async () => {
  await initBackend();
  for (const name of ["tiny-float", "tiny-int8", "tiny-uint8", "chain-f16", "tiny-gated"]) {
    const { precisions, noPlan, memory } = computationOf(await graph(name));
    for (const precision of precisions) {
      const { runner, reason } = makeRunner(await graph(name), precision);
      expect(reason, name).toBe(noPlan);
      // A plan has some parameters beside, and each of its parts begins at a multiple of 16.
      expect(Math.abs(runner.weightBytes - (memory[precision] ?? 0)), `${name}, ${precision}`).toBeLessThan(4096);
      runner.dispose();
    }
  }
  expect(computationOf(await graph("tiny-gated")).noPlan).toMatch(/MUL/);
});

it("takes what is asked for, else what the model says, and refuses what the model cannot", () => {
  const entry = {
    name: "m",
    files: {},
    bytes: 1,
    sha256: "",
    precisions: ["exact", "fast"],
    precision: "fast",
  } as const;
  expect(precisionFor(entry, undefined)).toBe("fast");
  expect(precisionFor(entry, "exact")).toBe("exact");
  expect(() => precisionFor(entry, "quantised")).toThrow(/"m" can be exact or fast, not quantised/);
});
