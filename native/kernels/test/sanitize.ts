/**
 * Runs plans step by step with a native build of the kernels that AddressSanitizer and UndefinedBehaviorSanitizer watch:
 * those of all files in test/fixtures/ops, and of convolutions of random shapes. Each step has its tensors, its packed
 * constants and each part of its scratch memory in a block of its own, and what it writes has to be what kernels.wasm
 * writes. So has what the packing functions write.
 *
 *     node scripts/run.mjs native/kernels/test/sanitize.ts [PATTERN]     only cases whose name matches the pattern
 *     FUZZ_CASES=1000 FUZZ_SEED=7                                        more convolutions, or others
 *
 * Needs gcc or clang besides what build.py needs.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { globSync } from "tinyglobby";
import { Random } from "../../../test/unit/inference/random-graph.ts";
import { LabelerError } from "../../../worker/errors.ts";
import { readGraph } from "../../../worker/inference/operators/registry.ts";
import { type Compilation, compile } from "../../../worker/inference/plan/compile.ts";
import { type KernelCall, parameterWords } from "../../../worker/inference/plan/layouts.ts";
import type { Capabilities, PlanPrecision } from "../../../worker/inference/plan/lower/builder.ts";
import { countingBytes, countOverflowIn } from "../../../worker/inference/plan/lower/convolution/overflow.ts";
import { NoPlan } from "../../../worker/inference/plan/lower/value.ts";
import { align, SLACK } from "../../../worker/inference/plan/step.ts";
import type { Word } from "../../../worker/inference/plan/word.ts";
import { rewrite } from "../../../worker/inference/rewrites/rewrite.ts";
import type { Graph } from "../../../worker/tflite/graph.ts";
import { missingForSanitizers } from "../../sanitizers.mjs";
import { type Call, callNative, type NativeWord, type Region } from "./native.ts";
import { packCalls } from "./pack-calls.ts";
import { randomConvolution } from "./random-convolution.ts";
import { bufferOf, kernels, type Placed, place, runStep, tensorBytes } from "./wasm.ts";

const CASES = Number(process.env.FUZZ_CASES ?? 200);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const ONLY = new RegExp(process.argv[2] ?? "");

type How = readonly [PlanPrecision, Capabilities];
const EXACT: How = ["exact", { dot: false }];
const FAST: How = ["fast", { dot: false, strassen: "never" }];
const countOverflow: Capabilities["countOverflow"] = (source, matrix) => {
  const address = 1024;
  const buffer = bufferOf(address + countingBytes(matrix.reduction));
  return countOverflowIn({ kernels, buffer, address }, source, matrix);
};

/** What runs natively, and what it is compared with in wasm: the relaxed dot products may not be exact there. */
const VARIANTS: Readonly<Record<string, readonly [native: How, wasm: How]>> = {
  exact: [EXACT, EXACT],
  dot: [["exact", { dot: "unsigned" }], EXACT],
  signed: [["exact", { dot: "signed" }], EXACT],
  pairs: [["exact", { dot: false, countOverflow }], EXACT],
  fast: [FAST, FAST],
  apart: [["exact", { dot: false, apart: true }], EXACT],
  "apart, fast": [["fast", { dot: false, strassen: "never", apart: true }], FAST],
  strassen: [["fast", { dot: false, strassen: "always" }], FAST],
  "apart, strassen": [["fast", { dot: false, strassen: "always", apart: true }], FAST],
};

function build(): string {
  const script = fileURLToPath(new URL("../sanitize.py", import.meta.url));
  const { status, stdout } = spawnSync("python3", [script], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  if (status !== 0) process.exit(1);
  return stdout.trim();
}

/** The plan of a graph; undefined if it has none. */
function compileIfAny(graph: Graph, [precision, capabilities]: How): Compilation | undefined {
  try {
    return compile(graph, precision, capabilities);
  } catch (error) {
    if (error instanceof NoPlan || error instanceof LabelerError) return undefined;
    throw error;
  }
}

const bits = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0] ?? 0;

/** A step as a native call. @param tensors In wasm's memory before it. @param packed Its constants. */
function callOf(step: KernelCall & { scratchBytes: number }, tensors: Placed, packed: Uint8Array): Call {
  const words = parameterWords(step);
  const starts = words.flatMap((word) => (typeof word === "object" && "scratch" in word ? [word.scratch] : []));
  const ends = [...starts, step.scratchBytes].toSorted((a, b) => a - b);
  const regions: Region[] = [];
  const found = new Map<string, number>();
  /** The region of a key, made if there is none. */
  const regionOf = (key: string, make: () => Region): number => {
    const index = found.get(key) ?? regions.push(make()) - 1;
    found.set(key, index);
    return index;
  };
  const translate = (word: Word): NativeWord => {
    if (typeof word === "number") return word;
    if ("f32" in word) return bits(word.f32);
    if ("packed" in word) {
      // What lies behind is read where it makes a vector full, and is of no consequence.
      const make = () => ({ bytes: packed, slack: align(packed.length) - packed.length, isOutput: false });
      return { region: regionOf("packed", make), offset: word.packed };
    }
    if ("scratch" in word) {
      const end = ends.find((end) => end > word.scratch) ?? word.scratch;
      const make = () => ({ bytes: new Uint8Array(end - word.scratch), slack: 0, isOutput: false });
      return { region: regionOf(`scratch ${word.scratch}`, make), offset: 0 };
    }
    const { output } = step.parameters;
    const isOutput = typeof output === "object" && "tensor" in output && output.tensor === word.tensor;
    const make = () => ({ bytes: tensorBytes(tensors, word.tensor), slack: SLACK, isOutput });
    return { region: regionOf(`tensor ${word.tensor}`, make), offset: 0 };
  };
  return { name: step.kernel, words: words.map(translate), regions };
}

interface Expected {
  readonly call: Call;
  readonly result: number;
  readonly outputs: readonly Uint8Array[];
}

/** All calls of a plan, and what wasm makes of them. */
function* callsOf(native: Compilation, wasm: Compilation, random: Random): Generator<Expected> {
  const packing: Expected[] = [];
  const placed = place(native, (own, used) => packCalls(own, bufferOf(0), used, packing));
  yield* packing;
  const packed = native.plan.steps.map(({ packedBytes }, i) =>
    new Uint8Array(placed.buffer, placed.packed[i], packedBytes).slice(),
  );
  const reference = place(wasm);
  for (const { tensor } of wasm.plan.inputs) {
    const { type, bytes = 0 } = wasm.plan.tensors.find(({ index }) => index === tensor.index) ?? {};
    const [address, buffer] = [reference.tensors.get(tensor.index) ?? 0, reference.buffer];
    if (type === "f32") new Float32Array(buffer, address, bytes / 4).set(random.floats(bytes / 4));
    else new Uint8Array(buffer, address, bytes).set(random.bytes(bytes));
  }
  for (const [i, step] of native.plan.steps.entries()) {
    const call = "kernel" in step ? callOf(step, reference, packed[i] ?? new Uint8Array()) : undefined;
    runStep(reference, i);
    if (call === undefined || !("kernel" in step)) continue;
    const { output } = step.parameters;
    if (typeof output !== "object" || !("tensor" in output)) continue;
    yield { call, result: 0, outputs: [tensorBytes(reference, output.tensor)] };
  }
}

function* graphs(): Generator<readonly [name: string, graph: Graph]> {
  for (const file of globSync("test/fixtures/ops/*.tflite").toSorted()) {
    try {
      yield [basename(file, ".tflite"), rewrite(readGraph(readFileSync(file)))];
    } catch (error) {
      if (!(error instanceof LabelerError)) throw error; // some are damaged, for other tests
    }
  }
  const random = new Random(SEED);
  for (let i = 0; i < CASES; i++) {
    const { name, graph } = randomConvolution(random);
    yield [`${i}: ${name}`, graph];
  }
}

const missing = missingForSanitizers(["python3"]);
if (missing !== undefined) {
  console.error(`The kernels are not watched by sanitizers: ${missing}.`);
  console.log("0 passed, 0 failed, 1 skipped");
  process.exit(process.env.CI ? 1 : 0);
}
const program = build();
const counts = { passed: 0, failed: 0 };

function check(name: string, native: Compilation, wasm: Compilation, signed: boolean): void {
  const expected = [...callsOf(native, wasm, new Random(SEED))];
  const answers = callNative(
    program,
    expected.map(({ call }) => call),
    signed,
  );
  const faults = expected.flatMap(({ call, result, outputs }, i) => {
    const answer = answers[i];
    if (answer === undefined) return i === answers.length ? [`a sanitizer ended ${call.name} (see above)`] : [];
    const same = outputs.every((bytes, at) => Buffer.compare(bytes, answer.outputs[at] ?? new Uint8Array()) === 0);
    return same && answer.result === result ? [] : [`${call.name} writes something else than kernels.wasm`];
  });
  counts[faults.length === 0 ? "passed" : "failed"]++;
  for (const fault of faults) console.error(`${name}: ${fault}`);
}

for (const [name, graph] of graphs()) {
  if (!ONLY.test(name)) continue;
  for (const [variant, [native, wasm]] of Object.entries(VARIANTS)) {
    const [own, other] = [compileIfAny(graph, native), compileIfAny(graph, wasm)];
    const isAnother =
      variant === "exact" || JSON.stringify(own?.plan) !== JSON.stringify(compileIfAny(graph, EXACT)?.plan);
    if (own && other && isAnother) check(`${name}, ${variant}`, own, other, variant === "signed");
  }
}
console.log(`${counts.passed} passed, ${counts.failed} failed, 0 skipped`);
process.exitCode = counts.failed > 0 ? 1 : 0;
