// Seeded mutations of small files of every kind: no trap, no hang, no growth past the limit. FUZZ_CASES and FUZZ_SEED
// in the environment make it longer or other; CODECS_WASM may name a module built with --guards.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { CodecError, decode, instantiate } from "./host.mjs";
import { mutants } from "./mutate.mjs";
import { files, reference } from "./reference.mjs";

/** TIFF and PNM, which the corpus does not have. */
const RASTER = JSON.parse(
  readFileSync(new URL("../../../test/fixtures/formats/raster.json", import.meta.url), "utf8"),
).map(({ name, file }) => ({ name, bytes: Buffer.from(file, "base64") }));

const skip = reference ? false : "LABELER_REFERENCE is not set";
const CASES = Number(process.env.FUZZ_CASES ?? 2000);
const SEED = Number(process.env.FUZZ_SEED ?? 1);

describe("mutated files", { skip }, () => {
  it(`${CASES} of them, seed ${SEED}, are all answered`, { timeout: 600_000 }, (t) => {
    const seeds = ["variants", "pngsuite"]
      .flatMap((folder) => files("corpus", folder))
      .map(({ name, read }) => ({ name, bytes: read() }))
      .concat(RASTER)
      .filter(({ bytes }) => bytes.length < 400_000);
    const answers = new Map();
    let slowest = 0;
    let largest = 0;
    for (const { name, bytes, options } of mutants(seeds, CASES, SEED)) {
      const codecs = instantiate();
      const begin = performance.now();
      let status;
      try {
        ({ status } = decode(bytes, { ...options, codecs }));
      } catch (error) {
        assert.ok(error instanceof CodecError, `${name}: ${error.stack}`);
        status = error.status;
      }
      const took = performance.now() - begin;
      if (codecs.check) assert.equal(codecs.check(), 0, `${name} wrote outside of a block`);
      const size = codecs.memory.buffer.byteLength;
      assert.ok(took < 3000, `${name} took ${took} ms`);
      assert.ok(size <= options.memory, `${name} grew to ${size}`);
      slowest = Math.max(slowest, took);
      largest = Math.max(largest, size);
      answers.set(status, (answers.get(status) ?? 0) + 1);
    }
    const counts = [...answers].sort((a, b) => b[0] - a[0]).map(([status, count]) => `${status}: ${count}`);
    t.diagnostic(`answers by status ${counts.join(", ")}`);
    t.diagnostic(`slowest ${slowest.toFixed(0)} ms, largest ${(largest / 2 ** 20).toFixed(1)} MB`);
  });
});
