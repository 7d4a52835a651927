// The labeler's own: compiled plans on kernels.wasm.
import { initBackend } from "../../../../worker/inference/backend.ts";
import { Executor } from "../../../../worker/inference/executor.ts";
import { dotIsExact } from "../../../../worker/inference/plan/kernels.ts";
import { makeRunner } from "../../../../worker/inference/runner.ts";
import { inspectModel } from "../../../../worker/model/inspect.ts";
import { preprocessor } from "../../../../worker/model/preprocess.ts";
import { decode, serve } from "./serve.js";

/** Apart from load(), so that nothing keeps the file's bytes. */
function engine(runner, input) {
  const preprocess = preprocessor(input);
  const shape = [1, input.height, input.width, 3];
  return {
    input,
    run: (pixels) => runner.run([{ values: preprocess(pixels), shape }])[0],
    details: { residentBytes: runner.weightBytes, dotIsExact: dotIsExact() },
  };
}

async function load(read, { precision }) {
  const text = async (name) => new TextDecoder().decode(await read(name));
  const files = { tflite: await read("model.tflite"), labels: await text("labels.txt"), spec: await text("spec.json") };
  const { graph, input } = await inspectModel(files);
  await initBackend();
  const { runner, reason } = precision === "executor" ? { runner: new Executor(graph) } : makeRunner(graph, precision);
  if (reason !== undefined) throw new Error(`there is no plan: ${reason}`);
  return engine(runner, input);
}

export default serve(load, {
  /** The pixels of an image file. */
  async "/pixels"({ searchParams }, _env, _parts, request) {
    const [width, height] = ["width", "height"].map((side) => Number(searchParams.get(side)));
    return Array.from(await decode(new Uint8Array(await request.arrayBuffer()), { width, height }));
  },
});
