/**
 * Reads FlatBuffers tables by field number: as much of the format as TFLite files use, with no generated code.
 * Format: https://flatbuffers.dev/internals/. A reference out of the file throws RangeError, as DataView does.
 */

/** The position of field `id` in a vtable, in bytes: two header words come first. */
const slot = (id: number): number => 4 + 2 * id;

interface Vector {
  readonly length: number;
  /** Where the first element is, in bytes from the start of the view. */
  readonly start: number;
}

/** One table: each getter takes the number of the field in its schema and gives the default where it is absent. */
export class Table {
  readonly #view: DataView;
  readonly #start: number;
  readonly #vtable: number;
  readonly #vtableSize: number;

  /** @param start Where the table is, in bytes from the start of the view. */
  constructor(view: DataView, start: number) {
    this.#view = view;
    this.#start = start;
    this.#vtable = start - view.getInt32(start, true);
    this.#vtableSize = view.getUint16(this.#vtable, true);
  }

  /** The root table of a file, whose first word says where it is. */
  static root(view: DataView): Table {
    return new Table(view, view.getUint32(0, true));
  }

  #field(id: number): number | undefined {
    if (slot(id) + 2 > this.#vtableSize) return undefined;
    const offset = this.#view.getUint16(this.#vtable + slot(id), true);
    return offset === 0 ? undefined : this.#start + offset;
  }

  #vector(id: number, elementSize: number): Vector {
    const at = this.#field(id);
    if (at === undefined) return { length: 0, start: 0 };
    const vector = at + this.#view.getUint32(at, true);
    const length = this.#view.getUint32(vector, true);
    // Checked before anything of that length is made: a damaged file may claim billions of elements.
    if (vector + 4 + length * elementSize > this.#view.byteLength) throw new RangeError("a vector leaves the file");
    return { length, start: vector + 4 };
  }

  #numbers(id: number, elementSize: number, read: (at: number) => number): number[] {
    const { length, start } = this.#vector(id, elementSize);
    return Array.from({ length }, (_, index) => read(start + index * elementSize));
  }

  has(id: number): boolean {
    return this.#field(id) !== undefined;
  }

  int8(id: number, absent = 0): number {
    const at = this.#field(id);
    return at === undefined ? absent : this.#view.getInt8(at);
  }

  uint8(id: number, absent = 0): number {
    const at = this.#field(id);
    return at === undefined ? absent : this.#view.getUint8(at);
  }

  bool(id: number): boolean {
    return this.uint8(id) !== 0;
  }

  int32(id: number, absent = 0): number {
    const at = this.#field(id);
    return at === undefined ? absent : this.#view.getInt32(at, true);
  }

  uint32(id: number, absent = 0): number {
    const at = this.#field(id);
    return at === undefined ? absent : this.#view.getUint32(at, true);
  }

  /** As a number, which is exact below 2^53. */
  uint64(id: number, absent = 0): number {
    const at = this.#field(id);
    return at === undefined ? absent : Number(this.#view.getBigUint64(at, true));
  }

  float32(id: number, absent = 0): number {
    const at = this.#field(id);
    return at === undefined ? absent : this.#view.getFloat32(at, true);
  }

  table(id: number): Table | undefined {
    const at = this.#field(id);
    return at === undefined ? undefined : new Table(this.#view, at + this.#view.getUint32(at, true));
  }

  tables(id: number): Table[] {
    const { length, start } = this.#vector(id, 4);
    return Array.from({ length }, (_, index) => {
      const at = start + 4 * index;
      return new Table(this.#view, at + this.#view.getUint32(at, true));
    });
  }

  int32s(id: number): number[] {
    return this.#numbers(id, 4, (at) => this.#view.getInt32(at, true));
  }

  float32s(id: number): number[] {
    return this.#numbers(id, 4, (at) => this.#view.getFloat32(at, true));
  }

  /** 64-bit integers as numbers: zero points and the like, which are small. */
  int64s(id: number): number[] {
    return this.#numbers(id, 8, (at) => Number(this.#view.getBigInt64(at, true)));
  }

  /** The bytes of a vector, not copied. */
  bytes(id: number): Uint8Array {
    const { length, start } = this.#vector(id, 1);
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + start, length);
  }

  string(id: number): string {
    return new TextDecoder().decode(this.bytes(id));
  }
}
