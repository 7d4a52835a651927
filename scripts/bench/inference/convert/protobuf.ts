/** Just enough of protobuf to write an ONNX file. */

/** The fields of a message, by number; arrays are repeated fields. */
export type Message = Readonly<Record<number, Field | readonly Field[] | undefined>>;
export type Field = string | number | bigint | Uint8Array | { readonly message: Message } | { readonly float: number };

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

const delimited = (number: number, bytes: Uint8Array): Uint8Array[] => [
  Uint8Array.from([...varint(BigInt((number << 3) | 2)), ...varint(BigInt(bytes.length))]),
  bytes,
];

function encodeField(number: number, value: Field): Uint8Array[] {
  if (typeof value === "string") return delimited(number, new TextEncoder().encode(value));
  if (value instanceof Uint8Array) return delimited(number, value);
  if (typeof value === "number" || typeof value === "bigint") {
    return [Uint8Array.from([...varint(BigInt(number << 3)), ...varint(BigInt(value))])];
  }
  if ("message" in value) return delimited(number, encode(value.message));
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value.float, true);
  return [Uint8Array.from(varint(BigInt((number << 3) | 5))), bytes];
}

export function encode(message: Message): Uint8Array<ArrayBuffer> {
  const parts = Object.entries(message).flatMap(([number, value]) => {
    const values = value === undefined ? [] : Array.isArray(value) ? value : [value];
    return values.flatMap((field) => encodeField(Number(number), field));
  });
  return new Uint8Array(Buffer.concat(parts));
}
