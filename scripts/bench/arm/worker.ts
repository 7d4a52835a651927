/** What `npm run bench:arm` runs in an emulated workerd: loads a model's plan, and runs it as often as it is asked to. */
import { initBackend } from "../../../worker/inference/backend.ts";
import { exactDot, sumsApart } from "../../../worker/inference/plan/kernels.ts";
import { makePlan, type PlanInstance, type PlanOptions } from "../../../worker/inference/plan/plan.ts";
import { inspectModel } from "../../../worker/model/inspect.ts";
import { inputFrom } from "../../../worker/model/layout.ts";
import { levelsOf } from "../../../worker/model/preprocess.ts";

interface Env {
  readonly MODELS: { fetch(url: string): Promise<Response> };
}

/** A plan that is ready, as the measuring process sees it. */
export interface Loaded {
  readonly exactDot: string | false;
  readonly sumsApart: boolean;
  /** Each kernel, and how many steps have it. */
  readonly kernels: Readonly<Record<string, number>>;
  /** SHA-256 of the outputs for three made pictures. */
  readonly digest: string;
}

let plan: PlanInstance | undefined;

/** @param file Of a model's folder. @returns Undefined if it is not there. */
async function read({ MODELS }: Env, model: string, file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const response = await MODELS.fetch(`http://models/${model}/${file}`);
  return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined;
}

async function load(env: Env, model: string, options: PlanOptions): Promise<Loaded> {
  await initBackend();
  const [tflite, labels, spec] = await Promise.all(
    ["model.tflite", "labels.txt", "model.json"].map((file) => read(env, model, file)),
  );
  if (tflite === undefined) throw new Error(`${model} has no model.tflite`);
  const decode = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);
  const { graph, input } = await inspectModel({ tflite, labels: decode(labels), spec: decode(spec) });
  plan?.dispose();
  const made = makePlan(graph, options);
  plan = made;
  const pictures = [7919, 104729, 65537].map((step) =>
    Uint8Array.from({ length: input.height * input.width * 3 }, (_, i) => (i * step + (i >> 5)) & 255),
  );
  const outputs = pictures.flatMap((pixels) =>
    made.run([inputFrom(pixels, levelsOf(input), input.layout, input.shape)]),
  );
  const hash = await crypto.subtle.digest("SHA-256", await new Blob(outputs as BlobPart[]).arrayBuffer());
  const kernels: Record<string, number> = {};
  for (const kernel of made.kernels) kernels[kernel] = (kernels[kernel] ?? 0) + 1;
  const digest = [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { exactDot: exactDot(), sumsApart: sumsApart(), kernels, digest };
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    try {
      if (pathname === "/load") {
        const { model, options } = JSON.parse(searchParams.get("what") ?? "");
        return Response.json(await load(env, model, options));
      }
      for (let i = 0; i < Number(searchParams.get("repeat")); i++) plan?.runSteps();
      return Response.json({});
    } catch (error) {
      return Response.json({ error: String((error as Error).stack) });
    }
  },
};
