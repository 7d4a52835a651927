/**
 * The Worker of `npm run model -- explain`. It runs in workerd, where the labeler runs: compiles a model for this CPU,
 * and measures each step of its plan.
 */
import { initBackend } from "../../../worker/inference/backend.ts";
import { type CompiledPlan, serialisePlan } from "../../../worker/inference/plan/compiled-plan.ts";
import { exactDot, pairsAreExact } from "../../../worker/inference/plan/kernels.ts";
import type { ByteDot } from "../../../worker/inference/plan/lower/builder.ts";
import { makePlan, NoPlan, type PlanInstance } from "../../../worker/inference/plan/plan.ts";
import { inspectModel } from "../../../worker/model/inspect.ts";
import { inputFrom } from "../../../worker/model/layout.ts";
import type { Precision } from "../../../worker/model/precision-name.ts";
import { levelsOf } from "../../../worker/model/preprocess.ts";

/** A plan on this CPU. */
export interface Explained {
  readonly model: string;
  readonly precision: Precision;
  /** The relaxed dot products of bytes that are exact on this CPU, and so may be used: of four, and of two. */
  readonly cpu: { readonly exactDot: ByteDot | false; readonly pairsAreExact: boolean };
  /** The plan as serialisePlan() writes it. */
  readonly plan: CompiledPlan;
  /** The bytes that it occupies in memory. */
  readonly bytes: number;
  /** The time of each step, repeated by itself. */
  readonly stepMs: readonly number[];
  /** The time of all steps, one after the other. */
  readonly runMs: number;
}

interface Env {
  readonly MODELS: { fetch(url: string): Promise<Response> };
}

/** The clock of workerd ticks in milliseconds: a sample takes at least this many. */
const SAMPLE_MS = 20;
/** The number of samples, of which the fastest counts: other work of the machine only adds to a time. */
const ROUNDS = 3;
/** V8 optimises kernels while they run; see worker/inference/rehearsal.ts. */
const WARM_UP_MS = 1500;

/** The average milliseconds of a call, over as many calls as fill a sample. */
function time(call: () => void): number {
  for (let count = 1; ; count *= 4) {
    const start = performance.now();
    for (let i = 0; i < count; i++) call();
    const spent = performance.now() - start;
    if (spent >= SAMPLE_MS) return spent / count;
  }
}

function measure(instance: PlanInstance): { stepMs: number[]; runMs: number } {
  const start = performance.now();
  while (performance.now() - start < WARM_UP_MS) instance.runSteps();
  const steps = instance.compiled.steps.map((_, index) => index);
  const rounds = Array.from({ length: ROUNDS }, () => ({
    runMs: time(() => instance.runSteps()),
    stepMs: steps.map((step) => time(() => instance.runSteps(step, step + 1))),
  }));
  return {
    runMs: Math.min(...rounds.map(({ runMs }) => runMs)),
    stepMs: steps.map((step) => Math.min(...rounds.map(({ stepMs }) => stepMs[step] ?? 0))),
  };
}

/** Reads a file of the model's folder; undefined if it does not exist. */
async function read({ MODELS }: Env, model: string, name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const response = await MODELS.fetch(`http://models/${model}/${name}`);
  return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined;
}

async function readText(env: Env, model: string, name: string): Promise<string | undefined> {
  const bytes = await read(env, model, name);
  return bytes && new TextDecoder().decode(bytes);
}

async function explain(
  env: Env,
  model: string,
  precision: Precision,
  dot: boolean,
): Promise<Explained | { noPlan: string }> {
  await initBackend();
  const [tflite, labels, spec] = await Promise.all([
    read(env, model, "model.tflite"),
    readText(env, model, "labels.txt"),
    readText(env, model, "model.json"),
  ]);
  if (tflite === undefined) throw new Error(`${model} has no model.tflite`);
  const { graph, input } = await inspectModel({ tflite, labels, spec });
  try {
    const instance = makePlan(graph, { precision, dot: dot && exactDot() });
    // Any pixels will do, except pixels that are all equal.
    const pixels = Uint8Array.from({ length: input.height * input.width * 3 }, (_, i) => (i * 7919 + (i >> 5)) & 255);
    instance.run([inputFrom(pixels, levelsOf(input), input.layout, input.shape)]);
    const cpu = { exactDot: exactDot(), pairsAreExact: pairsAreExact() };
    const plan: CompiledPlan = JSON.parse(serialisePlan(instance.compiled));
    return { model, precision, cpu, plan, bytes: instance.weightBytes, ...measure(instance) };
  } catch (error) {
    if (!(error instanceof NoPlan)) throw error;
    return { noPlan: error.message };
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { searchParams } = new URL(request.url);
    try {
      const [model, precision] = ["model", "precision"].map((name) => searchParams.get(name) ?? "");
      const dot = searchParams.get("dot") !== "off";
      return Response.json(await explain(env, model ?? "", precision as Precision, dot));
    } catch (error) {
      return Response.json({ error: String((error as Error).message) });
    }
  },
};
