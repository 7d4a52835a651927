/** The parts of upng-js 2.1.0 that are used here and in the tests; it ships no types. */
declare module "upng-js" {
  /** What the decoder keeps of IHDR. */
  interface Samples {
    /** Bits per sample. */
    depth: number;
    /** PNG colour type. */
    ctype: number;
  }

  interface Decoded extends Samples {
    width: number;
    height: number;
    data: Uint8Array;
  }

  interface Decode {
    (png: ArrayBuffer): Decoded;
    /**
     * Undoes the line filters in place: `height` rows at `offset`, each a filter byte and its packed samples, become
     * the packed samples alone, row after row from `offset`.
     */
    _filterZero(bytes: Uint8Array, image: Samples, offset: number, width: number, height: number): Uint8Array;
  }

  const UPNG: {
    decode: Decode;
    /** The frames as RGBA. */
    toRGBA8(image: Decoded): ArrayBuffer[];
  };
  export default UPNG;
}
