/** The words of a kernel's parameters before the plan has addresses. */

/** A place in memory: a tensor of the graph, the step's packed constants, or scratch memory of all steps. */
export type Place = { readonly tensor: number } | { readonly packed: number } | { readonly scratch: number };

/** A place whose address is not known yet, or an address; 0 for none. */
export type Address = Place | number;

/** Four bytes of a kernel's parameter structure. */
export type Word = number | { readonly f32: number } | Place;

export const f32 = (value: number): Word => ({ f32: value });
export const at = (tensor: number): Place => ({ tensor });
export const packedAt = (offset: number): Place => ({ packed: offset });
export const scratchAt = (offset: number): Place => ({ scratch: offset });
