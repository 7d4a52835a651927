/**
 * Writes FlatBuffers, the counterpart of worker/tflite/flatbuffers.ts: objects refer to others by their places in the file,
 * and all places are known before the first byte is written, so that large constants are copied once.
 * Format: https://flatbuffers.dev/internals/.
 */

/** A number in a table. */
interface Scalar {
  readonly bytes: 1 | 4;
  readonly write: (view: DataView, at: number) => void;
}

/** A table, a vector or a string. */
interface Item {
  /** Bytes from its beginning to its end, and where within them it is referred to. */
  readonly size: number;
  readonly entry: number;
  /** The alignment of the place that is `aligned` bytes behind its beginning. */
  readonly alignment: number;
  readonly aligned: number;
  readonly children: readonly Item[];
  readonly write: (view: DataView, start: number, placeOf: (child: Item) => number) => void;
}

/** The fields of a table by their numbers in the schema; a field that is undefined is left out. */
type Fields = Readonly<Record<number, Scalar | Item | undefined>>;

const isScalar = (field: Scalar | Item): field is Scalar => "bytes" in field;

export const int8 = (value: number): Scalar => ({ bytes: 1, write: (view, at) => view.setInt8(at, value) });
export const uint8 = (value: number): Scalar => ({ bytes: 1, write: (view, at) => view.setUint8(at, value) });
export const bool = (value: boolean): Scalar => uint8(value ? 1 : 0);
export const int32 = (value: number): Scalar => ({ bytes: 4, write: (view, at) => view.setInt32(at, value, true) });
export const uint32 = (value: number): Scalar => ({ bytes: 4, write: (view, at) => view.setUint32(at, value, true) });
export const float32 = (value: number): Scalar => ({
  bytes: 4,
  write: (view, at) => view.setFloat32(at, value, true),
});

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;

/** A table with its vtable in front of it. */
export function table(fields: Fields): Item {
  const given = Object.entries(fields).flatMap(([id, field]) =>
    field === undefined ? [] : [{ id: Number(id), field }],
  );
  const slots = Math.max(-1, ...given.map(({ id }) => id)) + 1;
  const entry = roundUp(4 + 2 * slots, 4);
  // Fields of four bytes first, so that all are aligned.
  const width = (field: Scalar | Item) => (isScalar(field) ? field.bytes : 4);
  const ordered = given.toSorted((a, b) => width(b.field) - width(a.field));
  let end = 4;
  const placed = ordered.map(({ id, field }) => {
    const offset = end;
    end += width(field);
    return { id, field, offset };
  });
  return {
    size: entry + end,
    entry,
    alignment: 4,
    aligned: 0,
    children: ordered.flatMap(({ field }) => (isScalar(field) ? [] : [field])),
    write(view, start, placeOf) {
      view.setUint16(start, 4 + 2 * slots, true);
      view.setUint16(start + 2, end, true);
      view.setInt32(start + entry, entry, true);
      for (const { id, field, offset } of placed) {
        view.setUint16(start + 4 + 2 * id, offset, true);
        const at = start + entry + offset;
        if (isScalar(field)) field.write(view, at);
        else view.setUint32(at, placeOf(field) - at, true);
      }
    },
  };
}

/** A vector of bytes, whose first one is aligned to 16 bytes as TensorFlow Lite expects of constants. */
export const bytes = (values: Uint8Array): Item => ({
  size: 4 + values.length,
  entry: 0,
  alignment: 16,
  aligned: 4,
  children: [],
  write(view, start) {
    view.setUint32(start, values.length, true);
    new Uint8Array(view.buffer, view.byteOffset + start + 4).set(values);
  },
});

export function string(text: string): Item {
  const values = new TextEncoder().encode(text);
  // A zero follows, which the length does not count.
  return { ...bytes(values), size: 4 + values.length + 1, alignment: 4, aligned: 0 };
}

export const int32s = (values: readonly number[]): Item => ({
  ...bytes(new Uint8Array(Int32Array.from(values).buffer)),
  alignment: 4,
  aligned: 0,
  write(view, start) {
    view.setUint32(start, values.length, true);
    for (const [i, value] of values.entries()) view.setInt32(start + 4 + 4 * i, value, true);
  },
});

export const tables = (items: readonly Item[]): Item => ({
  size: 4 + 4 * items.length,
  entry: 0,
  alignment: 4,
  aligned: 0,
  children: items,
  write(view, start, placeOf) {
    view.setUint32(start, items.length, true);
    for (const [i, item] of items.entries()) {
      const at = start + 4 + 4 * i;
      view.setUint32(at, placeOf(item) - at, true);
    }
  },
});

/** @param identifier Four characters that tell the kind of file. */
export function writeFlatBuffer(root: Item, identifier: string): Uint8Array<ArrayBuffer> {
  const starts = new Map<Item, number>();
  let end = 8;
  const pending = [root];
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    const start = roundUp(end + item.aligned, item.alignment) - item.aligned;
    starts.set(item, start);
    end = start + item.size;
    pending.push(...item.children);
  }
  const placeOf = (item: Item): number => (starts.get(item) ?? 0) + item.entry;
  const file = new Uint8Array(roundUp(end, 16));
  const view = new DataView(file.buffer);
  view.setUint32(0, placeOf(root), true);
  file.set(new TextEncoder().encode(identifier), 4);
  for (const [item, start] of starts) item.write(view, start, placeOf);
  return file;
}
