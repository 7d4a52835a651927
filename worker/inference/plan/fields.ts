/** Accessors for fields of C structures in memory; layouts.ts has their offsets. */

type View = DataView<ArrayBufferLike>;

/** A value, or an array of them, `offset` bytes from the start of a structure. */
export interface Field {
  readonly offset: number;
  /** @param struct The offset of the structure in the view. @param index The index in an array. */
  get(view: View, struct: number, index?: number): number;
  set(view: View, struct: number, value: number, index?: number): void;
}

export const int8 = (offset: number): Field => ({
  offset,
  get: (view, struct, index = 0) => view.getInt8(struct + offset + index),
  set: (view, struct, value, index = 0) => view.setInt8(struct + offset + index, value),
});

export const int32 = (offset: number): Field => ({
  offset,
  get: (view, struct, index = 0) => view.getInt32(struct + offset + 4 * index, true),
  set: (view, struct, value, index = 0) => view.setInt32(struct + offset + 4 * index, value, true),
});

export const float32 = (offset: number): Field => ({
  offset,
  get: (view, struct, index = 0) => view.getFloat32(struct + offset + 4 * index, true),
  set: (view, struct, value, index = 0) => view.setFloat32(struct + offset + 4 * index, value, true),
});

export const float64 = (offset: number): Field => ({
  offset,
  get: (view, struct, index = 0) => view.getFloat64(struct + offset + 8 * index, true),
  set: (view, struct, value, index = 0) => view.setFloat64(struct + offset + 8 * index, value, true),
});
