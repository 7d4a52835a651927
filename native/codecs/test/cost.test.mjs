// What hostile files may cost: processor time in all, time until the host gets its turn, and memory. The bounds are far
// above what an idle machine takes (less than a second, and 20 ms), and far below what these files once cost.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CodecError, decode, instantiate, Status } from "./host.mjs";
import { HOSTILE } from "./hostile-files.mjs";

const MEMORY = 40 << 20; // of the labeler's large instance
const STRETCH = 256 << 10; // pixels, as in worker/image/decode.ts
const MOST_MILLISECONDS = 2000;
const LONGEST_STRETCH = 150;
const TRIES = 3; // the machine may be busy

/** Those that are not decoded, and why. */
const REFUSED = {
  "500 empty progressive scans": Status.SCANS,
  "99 empty scans with restarts": Status.WORK,
  "99 refinements of AC in runs": Status.WORK,
  "99 first AC scans in runs": Status.WORK,
  "80 DC scans of a bit a block": Status.WORK,
  "99 baseline scans with restarts": Status.WORK,
  "progressive of 65500 columns": Status.WORK,
  "arithmetic of 100 MP without data": Status.WORK,
  "arithmetic of 100 MP of zeros": Status.WORK,
  "arithmetic of 100 MP of 0xaa": Status.WORK,
  "99 arithmetic scans": Status.WORK,
  "99 arithmetic scans of 0xaa": Status.WORK,
  "99 arithmetic baseline scans": Status.WORK,
  "PNG of 400,000 columns": Status.SIDE,
  "PNG of 1,000,000 rows": Status.SIDE,
  "PNG of empty deflate blocks": Status.EMPTY,
  "GIF of clear codes": Status.EMPTY,
  "BMP of 10 MB of runs past the end": Status.TRUNCATED,
  "WebP of a large sub-image": Status.BROKEN,
  "WebP of 99,000 chunks": Status.BROKEN,
  "TIFF of clear codes": Status.BROKEN,
  "TIFF of PackBits without bytes": Status.BROKEN,
  "TIFF of empty deflate blocks": Status.BROKEN,
};

/** Those whose picture is not there: none of it, or not all. */
const NOT_WHOLE = {
  "50 empty progressive scans": Status.EMPTY,
  "99 empty refinements of DC": Status.EMPTY,
  "99 baseline scans without data": Status.EMPTY,
  "baseline of 100 MP without data": Status.EMPTY,
  "baseline of 100 MP with restarts": Status.EMPTY,
  "baseline of 65500 columns": Status.EMPTY,
  "fill bytes before a restart": Status.EMPTY,
  "fill bytes in entropy-coded data": Status.TRUNCATED,
  "fill bytes in a scan that is skipped": Status.TRUNCATED,
};

/** Has each call of an instance's functions timed, in milliseconds of this process. */
function timed(codecs) {
  const spent = { total: 0, longest: 0 };
  const watched = { ...codecs };
  for (const [name, call] of Object.entries(codecs)) {
    if (typeof call !== "function") continue;
    watched[name] = (...values) => {
      const begin = process.cpuUsage();
      try {
        return call(...values);
      } finally {
        const { user, system } = process.cpuUsage(begin);
        const milliseconds = (user + system) / 1000;
        spent.total += milliseconds;
        spent.longest = Math.max(spent.longest, milliseconds);
      }
    };
  }
  return { watched, spent };
}

/** Decodes as the labeler does: JPEGs at the smallest scale that will do, in stretches. */
function measure(bytes, chunkBytes) {
  const { watched, spent } = timed(instantiate());
  let rows = 1;
  const scale = ({ format, width, height, flags, coefficientBytes }) => {
    const short = Math.min(width, height);
    let eighths = format === 1 ? ([1, 2, 4].find((n) => Math.ceil((short * n) / 8) >= 448) ?? 8) : 8;
    if (flags & 2 && coefficientBytes > MEMORY - (2 << 20)) eighths = 1;
    rows = Math.ceil((STRETCH * eighths) / (8 * width));
    return eighths;
  };
  const codecs = { ...watched, run: () => watched.run(rows) };
  const options = { codecs, scale, chunkBytes, memory: MEMORY, pixels: 1e8 };
  try {
    const { status, info } = decode(bytes, options);
    return { ...spent, status, info };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return { ...spent, status: error.status, info: error.info };
  }
}

/** The first measurement within bounds, else the last. */
function measureWell(bytes, chunkBytes) {
  let result;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    result = measure(bytes, chunkBytes);
    if (result.total < MOST_MILLISECONDS / 2 && result.longest < LONGEST_STRETCH / 2) break;
  }
  return result;
}

describe("a hostile file costs little processor time, and never much at once:", () => {
  for (const [name, make] of HOSTILE) {
    it(name, (t) => {
      const bytes = make();
      const { status, info, total, longest } = measureWell(bytes, 64 << 10);
      assert.equal(status, REFUSED[name] ?? NOT_WHOLE[name] ?? Status.DONE);
      assert.ok(total < MOST_MILLISECONDS, `${total} ms`);
      assert.ok(longest < LONGEST_STRETCH, `${longest} ms at once`);
      assert.ok(info.peakMemory <= MEMORY);
      t.diagnostic(
        `${bytes.length} bytes: ${total.toFixed(0)} ms, ${longest.toFixed(1)} at once, ${info.peakMemory} bytes`,
      );
    });
  }
});

describe("the time grows with the file and not faster, however small the chunks that it comes in:", () => {
  const PARSED =
    /fill bytes|garbage|stuffed|million|000 Huffman|quantisation|EXIF|text|IDATs|clear codes|chunks|groups|PackBits|comment/;
  for (const [name, make] of HOSTILE.filter(([name]) => PARSED.test(name))) {
    it(name, () => {
      const bytes = make();
      const few = measureWell(bytes, 64 << 10);
      const many = measureWell(bytes, 500);
      assert.equal(many.status, few.status);
      assert.ok(many.total < MOST_MILLISECONDS, `${many.total} ms`);
    });
  }
  it("fill bytes are not kept", () => {
    const files = HOSTILE.filter(([name]) => name.startsWith("fill bytes"));
    assert.equal(files.length, 6);
    for (const [name, make] of files) {
      const { info } = measure(make(), 64 << 10);
      assert.ok(info.peakMemory < 5 << 20, `${name}: ${info.peakMemory} bytes`);
    }
  });
});
