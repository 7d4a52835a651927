// Decodes the corpus, files made to harm, and mutations of both by a native build of the codecs that AddressSanitizer
// and UndefinedBehaviorSanitizer watch. What it answers and its pixels have to be those of codecs.wasm.
//
//   node native/codecs/test/sanitize.mjs [PATTERN]     only cases whose name matches the pattern
//   node native/codecs/test/sanitize.mjs --short       test/fixtures and mutations of them, without corpus and hostile files
//   FUZZ_CASES=20000 FUZZ_SEED=7                       more mutations, or others
//
// Needs gcc or clang ($CC, or cc) with its sanitizers besides what build.py needs, and LABELER_REFERENCE unless --short.
// What is missing makes it skip everything; under CI=true it fails.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { missingForSanitizers } from "../../sanitizers.mjs";
import { CodecError, decode, Format, INFO_FIELDS, instantiate, Status, serviceScale, sniff } from "./host.mjs";
import { HOSTILE } from "./hostile-files.mjs";
import { mutants } from "./mutate.mjs";
import { files, fixtures, reference } from "./reference.mjs";

const { values, positionals } = parseArgs({ options: { short: { type: "boolean" } }, allowPositionals: true });
const SHORT = values.short === true;
const CASES = Number(process.env.FUZZ_CASES ?? (SHORT ? 200 : 500));
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const LIMITS = { memory: 40 << 20, pixels: 1e8, scans: 100, chunks: 100_000 };
/** Of main.c: a process that has not answered, since a sanitizer ended it. */
const CRASHED = 1000;
/** struct Answer of main.c: status, struct Info, length of the output. */
const ANSWER_BYTES = 4 * (1 + INFO_FIELDS.length + 1);
const BATCH_BYTES = 32 << 20;
const ONLY = new RegExp(positionals[0] ?? "");

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

function build() {
  const { status, stdout } = spawnSync("python3", [path("../sanitize.py")], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) process.exit(1);
  return stdout.trim();
}

/** What an instance occupies before it has decoded anything: static data and stack. */
function baseOf() {
  const codecs = instantiate();
  codecs.init(0, 0, 0, 0);
  return new Int32Array(codecs.memory.buffer, codecs.info(), INFO_FIELDS.length)[INFO_FIELDS.indexOf("peakMemory")];
}

/** Decodes in wasm. @returns What it answers, and the scale that it was decoded at. */
function inWasm({ bytes, options }) {
  let eighths = 8;
  const scale = (info) => {
    eighths = options.scale(info);
    return eighths;
  };
  try {
    const { status, data } = decode(bytes, { ...options, scale });
    return { status, data, eighths };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return { status: error.status, data: Buffer.alloc(0), eighths };
  }
}

/** struct Case of main.c, and the file. */
function encode({ bytes, options }, eighths, base) {
  const { memory, pixels, scans, chunks, format, crop, width, height, order, chunkBytes, slice } = options;
  const numbers = [base, memory, pixels, scans, chunks, Format[format], eighths, ...crop, width, height, order];
  const head = Int32Array.of(...numbers, chunkBytes, slice, bytes.length);
  return Buffer.concat([Buffer.from(head.buffer), bytes]);
}

/** The answers to a batch. */
function run(program, batch) {
  const { stdout, status, error } = spawnSync(program, {
    input: Buffer.concat(batch),
    maxBuffer: 2 ** 31 - 1,
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0:abort_on_error=0", UBSAN_OPTIONS: "print_stacktrace=1" },
  });
  if (error || status !== 0) throw error ?? new Error(`codecs-sanitized ended with ${status}`);
  const answers = [];
  for (let at = 0; at < stdout.length; ) {
    const length = stdout.readUInt32LE(at + ANSWER_BYTES - 4);
    const start = at + ANSWER_BYTES;
    answers.push({ status: stdout.readInt32LE(at), data: stdout.subarray(start, start + length) });
    at = start + length;
  }
  return answers;
}

/** Near the limit blocks lie otherwise than in wasm, so that one may do what the other refuses. */
const isAboutMemory = (status) => status === Status.MEMORY || status === Status.COEFFICIENTS;

/** Files, and whether each is so large that it is decoded only as the service does. */
function* images() {
  if (SHORT) {
    for (const { name, bytes } of fixtures()) yield { name, bytes, large: bytes.length > 10_000 };
    return;
  }
  for (const folder of ["variants", "pngsuite", "hostile", "large"]) {
    for (const { name, read } of files("corpus", folder)) yield { name, bytes: read(), large: folder === "large" };
  }
}

function* cases() {
  const plain = { ...LIMITS, crop: [0, 0, 0, 0], width: 224, height: 224, order: 0, chunkBytes: 64 << 10, slice: 0 };
  const seeds = [];
  for (const { name, bytes, large } of images()) {
    const format = sniff(bytes);
    if (format === undefined) continue;
    seeds.push({ name, bytes });
    const options = { ...plain, format };
    yield { name, bytes, options: { ...options, scale: (info) => serviceScale(info, 224) } };
    if (large) continue;
    yield { name: `${name}, small chunks`, bytes, options: { ...options, scale: () => 8, chunkBytes: 97, slice: 3 } };
    for (const order of SHORT ? [7] : [1, 2, 4, 7])
      yield { name: `${name}, order ${order}`, bytes, options: { ...options, order, scale: () => 8 } };
    for (let eighths = 1; eighths < 8 && format === "jpeg"; eighths++) {
      yield { name: `${name}, ${eighths}/8`, bytes, options: { ...options, scale: () => eighths } };
    }
  }
  // Each hostile file takes a sanitizer many seconds, which the short form does not have.
  for (const [name, make] of SHORT ? [] : HOSTILE) {
    const bytes = make();
    const options = { ...plain, format: sniff(bytes), slice: 64 };
    yield { name, bytes, options: { ...options, scale: (info) => serviceScale(info, 224) } };
  }
  yield* mutants(
    seeds.filter(({ bytes }) => bytes.length < 400_000),
    CASES,
    SEED,
  );
}

/** What there is no running without; undefined if there is everything. */
function findMissing() {
  if (!SHORT && !reference)
    return "LABELER_REFERENCE, which names the folder with the corpus, is not set (or use --short)";
  return missingForSanitizers(["python3", "cargo"]);
}

const missing = findMissing();
if (missing !== undefined) {
  console.error(`The codecs are not watched by sanitizers: ${missing}.`);
  console.log("0 passed, 0 failed, 1 skipped");
  process.exit(process.env.CI ? 1 : 0);
}
const program = build();
const base = baseOf();
const counts = { passed: 0, failed: 0 };
let [batch, expected, bytes] = [[], [], 0];

/** Compares a batch with wasm. */
function check() {
  const answers = run(program, batch);
  for (const [i, { name, status, data }] of expected.entries()) {
    const answer = answers[i] ?? { status: CRASHED, data: Buffer.alloc(0) };
    const near = isAboutMemory(status) || isAboutMemory(answer.status);
    const same = near ? answer.status !== CRASHED : answer.status === status && answer.data.equals(data);
    counts[same ? "passed" : "failed"]++;
    const said = answer.status === CRASHED ? "a sanitizer ended it (see above)" : `status ${answer.status}`;
    if (!same)
      console.error(`${name}: ${said}, wasm has status ${status}${answer.status === status ? ", other pixels" : ""}`);
  }
  [batch, expected, bytes] = [[], [], 0];
}

for (const one of cases()) {
  if (!ONLY.test(one.name)) continue;
  const { status, data, eighths } = inWasm(one);
  batch.push(encode(one, eighths, base));
  expected.push({ name: one.name, status, data });
  bytes += one.bytes.length + data.length;
  if (bytes > BATCH_BYTES) check();
}
check();
console.log(`${counts.passed} passed, ${counts.failed} failed, 0 skipped`);
process.exitCode = counts.failed > 0 ? 1 : 0;
