/** Writes a graph as a .tflite file, the counterpart of worker/tflite/graph.ts. */
import { operatorNumber } from "../../../../../worker/tflite/builtin-operators.ts";
import type { Graph, Tensor } from "../../../../../worker/tflite/graph.ts";
import { bytes, int8, int32, int32s, string, table, tables, uint8, uint32, writeFlatBuffer } from "./flatbuffer.ts";
import { writtenOptions } from "./options.ts";

/** Of the enumeration TensorType. */
const TYPES: Readonly<Record<string, number>> = { float32: 0, float16: 1, int32: 2 };

/** The only version of the schema. */
const SCHEMA_VERSION = 3;
/** Operators beyond this number have it in a field of 32 bits alone. */
const LAST_OF_BYTE = 127;

/** @param description Of the file, for those who look into it. */
export function writeTflite(
  { tensors, operators, inputs, outputs }: Graph,
  description: string,
): Uint8Array<ArrayBuffer> {
  // The first buffer is empty by convention: it stands for "computed".
  const buffers = [table({})];
  const bufferOf = ({ data }: Tensor): number => (data === undefined ? 0 : buffers.push(table({ 0: bytes(data) })) - 1);
  const names = [...new Set(operators.map(({ op }) => op))];
  const subgraph = table({
    0: tables(
      tensors.map((tensor) =>
        table({
          0: int32s(tensor.shape),
          1: int8(TYPES[tensor.type] ?? 0),
          2: uint32(bufferOf(tensor)),
          3: string(tensor.name),
        }),
      ),
    ),
    1: int32s(inputs),
    2: int32s(outputs),
    3: tables(
      operators.map(({ op, inputs: read, outputs: made, options }) => {
        const written = writtenOptions(op, options);
        return table({
          0: uint32(names.indexOf(op)),
          1: int32s(read),
          2: int32s(made),
          3: written && uint8(written.union),
          4: written && table(written.fields),
        });
      }),
    ),
    4: string("main"),
  });
  const codes = names.map((name) => {
    const number = operatorNumber(name);
    return table({ 0: int8(Math.min(number, LAST_OF_BYTE)), 2: int32(1), 3: int32(number) });
  });
  const model = table({
    0: uint32(SCHEMA_VERSION),
    1: tables(codes),
    2: tables([subgraph]),
    3: string(description),
    4: tables(buffers),
  });
  return writeFlatBuffer(model, "TFL3");
}
