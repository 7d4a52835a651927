/** Reads the constants of a TFLite graph as numbers: weights dequantised to f32, shapes and axes as integers. */
import { LabelerError } from "../errors.ts";
import type { Tensor } from "../tflite/graph.ts";

const BYTES = { float32: 4, float16: 2, int32: 4, int64: 8, uint8: 1, int8: 1 } as const;
type ConstantType = keyof typeof BYTES;

/** The number of values in a tensor of this shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);

function refuse(tensor: Tensor, reason: string): never {
  throw new LabelerError("model-unusable", `The constant "${tensor.name}" ${reason}.`);
}

/**
 * A view of a constant's bytes.
 *
 * @throws LabelerError of kind model-unusable if their number does not match the constant's shape and type.
 */
export function bytesOf(tensor: Tensor): { view: DataView<ArrayBuffer>; type: ConstantType; length: number } {
  const { data, shape } = tensor;
  if (data === undefined) return refuse(tensor, "is computed at run time, which is not supported here");
  if (!(tensor.type in BYTES)) return refuse(tensor, `is of type ${tensor.type}, which is not supported`);
  const type = tensor.type as ConstantType;
  const length = sizeOf(shape);
  if (data.length !== length * BYTES[type]) {
    return refuse(
      tensor,
      `has ${data.length} bytes, where its shape [${shape}] and type ${type} ask for ${length * BYTES[type]}`,
    );
  }
  return { view: new DataView(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength), type, length };
}

/** Converts the bits of an IEEE 754 binary16 value. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Scales and zero points of each slice along the quantised axis, and how many consecutive values share a pair. */
function slicing({ quantization, shape, ...tensor }: Tensor, length: number) {
  if (quantization === undefined) return { scale: [1], zeroPoint: [0], run: length };
  const { scale, zeroPoint, axis } = quantization;
  if (scale.length === 1) return { scale, zeroPoint, run: length };
  if (shape[axis] !== scale.length) {
    return refuse(
      { quantization, shape, ...tensor },
      `has ${scale.length} scales for axis ${axis} of its shape [${shape}]`,
    );
  }
  return { scale, zeroPoint, run: sizeOf(shape.slice(axis + 1)) };
}

/** Integers less their zero points, multiplied by their scales if `scaled`. */
function dequantize(tensor: Tensor, scaled: boolean): Float32Array<ArrayBuffer> {
  const { view, type, length } = bytesOf(tensor);
  if (type !== "int32" && type !== "uint8" && type !== "int8") {
    return refuse(tensor, `is of type ${type}, which is not supported for quantised weights`);
  }
  const { scale, zeroPoint, run } = slicing(tensor, length);
  const read = {
    int32: (i: number) => view.getInt32(4 * i, true),
    uint8: (i: number) => view.getUint8(i),
    int8: (i: number) => view.getInt8(i),
  }[type];
  const values = new Float32Array(length);
  for (let start = 0, slice = 0; start < length; start += run, slice = (slice + 1) % scale.length) {
    const factor = scaled ? scale[slice] : 1;
    const zero = zeroPoint[slice];
    for (let i = start; i < start + run; i++) values[i] = (read(i) - zero) * factor;
  }
  return values;
}

/**
 * The real values of a constant: float32 and float16 as they are, integers as (q − zeroPoint) · scale.
 *
 * @returns A copy of the values in the order of the file.
 * @throws LabelerError of kind model-unusable if the tensor is not a constant of a known type, or is too short.
 */
export function realValues(tensor: Tensor): Float32Array<ArrayBuffer> {
  const { view, type, length } = bytesOf(tensor);
  if (type !== "float32" && type !== "float16") return dequantize(tensor, true);
  const values = new Float32Array(length);
  if (type === "float32") {
    new Uint8Array(values.buffer).set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  } else {
    for (let i = 0; i < length; i++) values[i] = halfToNumber(view.getUint16(2 * i, true));
  }
  return values;
}

/**
 * The integers of a quantised constant less their zero points.
 *
 * @returns Integers in the order of the file.
 * @throws LabelerError of kind model-unusable if the tensor is not a constant of an integer type, or is too short.
 */
export const quantizedValues = (tensor: Tensor): Float32Array<ArrayBuffer> => dequantize(tensor, false);

/**
 * The integers of a constant of type int32 or int64: axes, paddings.
 *
 * @throws LabelerError of kind model-unusable if it is anything else.
 */
export function integers(tensor: Tensor): number[] {
  const { view, type, length } = bytesOf(tensor);
  if (type !== "int32" && type !== "int64") return refuse(tensor, `is of type ${type}, where integers are needed`);
  return Array.from({ length }, (_, i) => {
    return type === "int32" ? view.getInt32(4 * i, true) : Number(view.getBigInt64(8 * i, true));
  });
}
