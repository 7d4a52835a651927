/** Rows of bytes in a WebAssembly memory of their own, where a kernel multiplies them: ten times as fast as JavaScript. */
import kernelsModule from "../../native/kernels/kernels.wasm";
import type { PlaceRows } from "../teaching/rows.ts";
import type { Kernels } from "./plan/layouts.ts";

const PAGE = 64 << 10;
const ALIGNMENT = 16;
/** Address 0 stays unused, since C takes it for no address. */
const FIRST = ALIGNMENT;

const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** @throws RangeError if there is not enough memory. */
export const rowsInWasm: PlaceRows = (bytes, width) => {
  const count = width === 0 ? 0 : bytes.length / width;
  const vector = FIRST + align(bytes.length);
  const results = vector + align(width);
  const pages = Math.ceil((results + 4 * count) / PAGE);
  // The memory goes with the rows, and neither grows nor has to be freed, unlike a part of tfjs' memory.
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const kernels = new WebAssembly.Instance(kernelsModule, { env: { memory } }).exports as unknown as Kernels;
  const placed = new Int8Array(memory.buffer, FIRST, bytes.length);
  placed.set(bytes);
  const operand = new Int8Array(memory.buffer, vector, width);
  const products = new Int32Array(memory.buffer, results, count);
  return {
    bytes: placed,
    multiply(values, column) {
      operand.set(values);
      kernels.s8_gemv_4c16_dot16x2(vector, FIRST + column, results, values.length, width, count);
      return products;
    },
  };
};
