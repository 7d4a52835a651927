// The labeler's own: compiled plans on kernels.wasm.
import { initBackend } from "../../../../worker/inference/backend.ts";
import { Executor } from "../../../../worker/inference/executor.ts";
import { exactDot } from "../../../../worker/inference/plan/kernels.ts";
import { rehearse } from "../../../../worker/inference/rehearsal.ts";
import { makeRunner } from "../../../../worker/inference/runner.ts";
import { inspectModel } from "../../../../worker/model/inspect.ts";
import { levelsOf } from "../../../../worker/model/preprocess.ts";
import { readWhole } from "../../../../worker/runtime/read-whole.ts";
import { decode, serve } from "./serve.js";

/** Apart from load(), so that nothing keeps the file's bytes. */
function engine(runner, input) {
  const levels = levelsOf(input);
  const shape = [1, input.height, input.width, 3];
  return {
    input,
    run: (pixels) => runner.run([{ pixels, levels, shape }])[0],
    details: { residentBytes: runner.weightBytes, exactDot: exactDot() },
  };
}

async function load(read, { precision }) {
  const text = async (name) => new TextDecoder().decode(await read(name));
  const [tflite, labels, spec] = await Promise.all([
    read("model.tflite"),
    text("labels.txt"),
    text("spec.json"),
    precision === "executor" ? initBackend() : rehearse(precision),
  ]);
  const { graph, input } = await inspectModel({ tflite, labels, spec });
  const { runner, reason } = precision === "executor" ? { runner: new Executor(graph) } : makeRunner(graph, precision);
  if (reason !== undefined) throw new Error(`there is no plan: ${reason}`);
  return engine(runner, input);
}

export default serve(load, {
  wholeOf: ({ body, headers }) => readWhole(body, Number(headers.get("content-length"))),
  /** The pixels of an image file. */
  async "/pixels"({ searchParams }, _env, _parts, request) {
    const [width, height] = ["width", "height"].map((side) => Number(searchParams.get(side)));
    return Array.from(await decode(new Uint8Array(await request.arrayBuffer()), { width, height }));
  },
});
