/**
 * Steps that run in JavaScript, since about a thousand values at the end of a network do not justify a kernel. Like
 * kernels, they take addresses and numbers, so that a plan with host steps is still plain data.
 */

/** Rows of values, each of which is computed separately. */
interface Rows {
  readonly rows: number;
  /** The number of values in a row. */
  readonly length: number;
  /** The factor by which each value is multiplied first. */
  readonly factor: number;
}

interface QuantisedRows extends Rows {
  /** The scale of the output. */
  readonly scale: number;
  readonly zero: number;
}

/** Sums over `window` neighbouring rows of `channels` uint8 values each, requantised in floating point. */
interface Sums {
  readonly rows: number;
  readonly window: number;
  readonly channels: number;
  /** The value that is subtracted from each stored byte. */
  readonly offset: number;
  readonly scale: number;
  readonly bias: number;
  /** Zero point and clamp of the output, as stored. */
  readonly zero: number;
  readonly low: number;
  readonly high: number;
}

/** A function of a row of values, each multiplied by a factor. */
type OfRow = (values: ArrayLike<number>, factor: number) => Float64Array;
type HostFunction<Parameters> = (buffer: ArrayBufferLike, from: number, to: number, parameters: Parameters) => void;

/** x → exp(x) / Σ exp(x). It uses loops, since array methods with callbacks are ten times slower here. */
const softmax: OfRow = (values, beta) => {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]);
  const result = new Float64Array(values.length);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    result[i] = Math.exp((values[i] - largest) * beta);
    sum += result[i];
  }
  for (let i = 0; i < values.length; i++) result[i] /= sum;
  return result;
};

/** x → x − log Σ exp(x) */
const logSoftmax: OfRow = (values, scale) => {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp((values[i] - largest) * scale);
  const result = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = (values[i] - largest) * scale - Math.log(sum);
  return result;
};

const ofFloats =
  (of: OfRow): HostFunction<Rows> =>
  (buffer, from, to, { rows, length, factor }) => {
    for (let row = 0; row < rows; row++) {
      const start = 4 * row * length;
      new Float32Array(buffer, to + start, length).set(of(new Float32Array(buffer, from + start, length), factor));
    }
  };

const ofBytes =
  (of: OfRow): HostFunction<QuantisedRows> =>
  (buffer, from, to, { rows, length, factor, scale, zero }) => {
    for (let row = 0; row < rows; row++) {
      const start = row * length;
      const result = of(new Uint8Array(buffer, from + start, length), factor);
      const target = new Uint8ClampedArray(buffer, to + start, length);
      for (let i = 0; i < length; i++) target[i] = Math.floor(result[i] / scale + 0.5) + zero;
    }
  };

/** QuantizedMeanOrSum of TensorFlow Lite's reference_ops. Results that wrap around there are clamped here. */
const sums: HostFunction<Sums> = (buffer, from, to, parameters) => {
  const { fround } = Math;
  const { rows, window, channels, offset, scale, bias, zero, low, high } = parameters;
  const bytes = new Uint8Array(buffer, from, rows * window * channels);
  const result = new Uint8Array(buffer, to, rows * channels);
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < channels; channel++) {
      let sum = -offset * window;
      for (let i = 0; i < window; i++) sum += bytes[(row * window + i) * channels + channel];
      const real = fround(fround(fround(sum) * scale) + bias);
      const rounded = Math.sign(real) * Math.floor(Math.abs(real) + 0.5);
      result[row * channels + channel] = Math.min(high, Math.max(low, rounded + zero));
    }
  }
};

const FUNCTIONS = {
  softmax_f32: ofFloats(softmax),
  softmax_u8: ofBytes(softmax),
  log_softmax_f32: ofFloats(logSoftmax),
  log_softmax_u8: ofBytes(logSoftmax),
  sum_u8: sums,
};

type HostName = keyof typeof FUNCTIONS;

/** A host function, the tensors that it reads and writes, and its parameters. */
export type HostCall = {
  [Name in HostName]: {
    readonly host: Name;
    readonly from: number;
    readonly to: number;
    readonly parameters: Parameters<(typeof FUNCTIONS)[Name]>[3];
  };
}[HostName];

/** @param from The address of the input tensor. @param to The address of the output tensor. */
export function runOnHost({ host, parameters }: HostCall, buffer: ArrayBufferLike, from: number, to: number): void {
  (FUNCTIONS[host] as HostFunction<HostCall["parameters"]>)(buffer, from, to, parameters);
}
