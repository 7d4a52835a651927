/** The types in which TensorFlow.js stores weights, with the quantisations of its converter, as float32. */
import { halfToNumber } from "../../../../../worker/inference/constants.ts";
import { type Json, jsonOf } from "../config.ts";
import { ConversionError } from "../errors.ts";

interface WeightType {
  readonly bytesEach: number;
  readonly read: (bytes: Uint8Array) => Float32Array;
}

/** Numbers of a fixed size, little-endian, which may be at any place of a file. */
const numbers = (bytesEach: number, read: (view: DataView, at: number) => number): WeightType => ({
  bytesEach,
  read(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const values = new Float32Array(bytes.length / bytesEach);
    for (let i = 0; i < values.length; i++) values[i] = read(view, i * bytesEach);
    return values;
  },
});

const TYPES: Readonly<Record<string, WeightType>> = {
  float32: numbers(4, (view, at) => view.getFloat32(at, true)),
  float16: numbers(2, (view, at) => halfToNumber(view.getUint16(at, true))),
  int32: numbers(4, (view, at) => view.getInt32(at, true)),
  uint16: numbers(2, (view, at) => view.getUint16(at, true)),
  uint8: numbers(1, (view, at) => view.getUint8(at)),
  bool: numbers(1, (view, at) => view.getUint8(at)),
};

/** q · scale + min, as tfjs-core/src/io/io_utils.ts computes it: in double precision, rounded once, int32 to whole numbers. */
const scaled = ({ bytesEach, read }: WeightType, scale: number, min: number, isWhole: boolean): WeightType => ({
  bytesEach,
  read: (bytes) => read(bytes).map((value) => (isWhole ? Math.round(value * scale + min) : value * scale + min)),
});

/**
 * @param entry Of the manifest: {"name": …, "dtype": "float32", "quantization": {"dtype": "uint8", "scale": …, "min": …}}.
 * @throws ConversionError for a type that no layer of a classifier has.
 */
export function typeOf({ name, dtype, quantization }: Json): WeightType {
  const refuse = (what: string): never => {
    throw new ConversionError(
      `The weight "${String(name ?? "").slice(0, 80)}" is stored as ${what}, which is not supported.`,
    );
  };
  const stored = quantization === undefined ? { dtype } : jsonOf(quantization, "the quantisation of a weight");
  const type = typeof stored.dtype === "string" && Object.hasOwn(TYPES, stored.dtype) ? TYPES[stored.dtype] : undefined;
  if (type === undefined) return refuse(JSON.stringify(stored.dtype ?? null).slice(0, 40));
  if (quantization === undefined || stored.dtype === "float16") return type;
  const { scale, min } = stored as Json;
  if (typeof scale !== "number" || typeof min !== "number") return refuse(`${stored.dtype} without scale and min`);
  return scaled(type, scale, min, dtype === "int32");
}
