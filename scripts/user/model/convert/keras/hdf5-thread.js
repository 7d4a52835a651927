/**
 * The thread of hdf5.ts: reads all that a Keras model needs of an HDF5 file. The HDF5 library runs as WebAssembly with a file
 * system of its own in memory, so that links in the file lead nowhere. JavaScript, since Node 20 does not load TypeScript.
 */
import { parentPort, workerData } from "node:worker_threads";

/**
 * @type {{ largest: number, progress: Int32Array }} The most bytes that all weights may have, and about as many for the
 *   library's memory; a counter of the objects that were read.
 */
const { largest, progress } = workerData;

// The library's memory grows by this function alone.
const { grow } = WebAssembly.Memory.prototype;
WebAssembly.Memory.prototype.grow = function (pages) {
  if (this.buffer.byteLength + pages * 65_536 > largest + (64 << 20)) throw new RangeError("too much memory");
  return grow.call(this, pages);
};
// What the library prints of damaged files is none of the user's business.
console.warn = () => {};
console.error = () => {};

const { default: h5wasm } = await import("h5wasm");
const { FS } = await h5wasm.ready;

const MOST_OBJECTS = 50_000;
const DEEPEST = 40;
const FLOAT = 1;
/** The folders of optimizers, whose values are as many as the weights and not needed. */
const SKIPPED = /^\/?(optimizer|optimizer_weights)$/;

/** @returns {string | string[] | undefined} */
function textOf(object, name) {
  if (!(name in object.attrs)) return undefined;
  const value = object.attrs[name].value;
  const text = (one) =>
    typeof one === "string" ? one : one instanceof Uint8Array ? Buffer.from(one).toString() : undefined;
  return Array.isArray(value) ? value.map(text).filter((one) => one !== undefined) : text(value);
}

/** The names of a group's weights, which Keras spreads over several attributes where they are too long for one. */
function weightNames(group) {
  const names = textOf(group, "weight_names");
  if (names !== undefined) return [names].flat();
  const parts = [];
  for (let part = 0; `weight_names${part}` in group.attrs; part++) parts.push(textOf(group, `weight_names${part}`));
  return parts.length === 0 ? undefined : parts.flat();
}

/** float16 to float32. */
function halves(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength / 2 }, (_, i) => {
    const bits = view.getUint16(2 * i, true);
    const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}

/** The numbers of a dataset as float32; undefined for any other kind of data. */
function numbersOf(dataset) {
  const { type, size, littleEndian } = dataset.metadata;
  if (type !== FLOAT || !littleEndian) return undefined;
  if (size === 4 || size === 8) {
    const { value } = dataset;
    return typeof value === "number" ? Float32Array.of(value) : Float32Array.from(value);
  }
  if (size !== 2) return undefined;
  const value = dataset.value;
  if (typeof value === "number") return Float32Array.of(value);
  return value instanceof Uint8Array ? halves(value) : Float32Array.from(value);
}

/** Everything that a Keras model needs. */
function read(bytes) {
  FS.writeFile("/model.h5", bytes);
  const file = new h5wasm.File("/model.h5", "r");
  try {
    if (file.file_id < 0n) throw new Error("the file cannot be opened");
    const weights = [];
    const groups = [];
    let objects = 0;
    let total = 0;
    const walk = (group, path, depth) => {
      if (depth > DEEPEST) throw new Error("its groups are nested too deeply");
      // Layers have this attribute, whose groups stand in the root or one below.
      const names = depth <= 2 ? weightNames(group) : undefined;
      if (names !== undefined && names.length > 0) groups.push([path, names]);
      for (const key of group.keys()) {
        if (++objects > MOST_OBJECTS) throw new Error("it has too many objects");
        Atomics.add(progress, 0, 1);
        const inner = path === "" ? key : `${path}/${key}`;
        if (SKIPPED.test(inner)) continue;
        const object = group.get(key);
        if (object instanceof h5wasm.Group) walk(object, inner, depth + 1);
        if (!(object instanceof h5wasm.Dataset)) continue;
        const { shape } = object;
        const count = (shape ?? []).reduce((product, length) => product * Number(length), 1);
        total += 4 * count;
        if (!(total <= largest)) throw new Error("it has more weights than fit into it");
        const values = shape === null ? undefined : numbersOf(object);
        if (values !== undefined) weights.push([inner, shape.map(Number), values]);
      }
    };
    walk(file, "", 0);
    const config = textOf(file, "model_config");
    const version = textOf(file, "keras_version");
    return { config: typeof config === "string" ? config : undefined, version: `${version ?? ""}`, weights, groups };
  } finally {
    file.close();
    FS.unlink("/model.h5");
  }
}

parentPort?.on("message", (bytes) => {
  let answer;
  try {
    answer = read(bytes);
  } catch (error) {
    answer = {
      fault: error instanceof Error ? error.message : String(error),
      fatal: error instanceof WebAssembly.RuntimeError,
    };
  }
  parentPort?.postMessage(
    answer,
    (answer.weights ?? []).map(([, , values]) => values.buffer),
  );
});
parentPort?.postMessage("ready");
