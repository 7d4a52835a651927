/** The part of upng-js 2.1.0 that is used here; it ships no types. */
declare module "upng-js" {
  interface Decoded {
    width: number;
    height: number;
  }

  const UPNG: {
    readonly encode: {
      /**
       * Filters a row of a picture.
       *
       * @param filtered Where to: rows of `length` bytes, each behind the number of its filter. @param raw The picture's bytes.
       * @param y Of the row. @param bytesPerPixel Of the picture. @param filter Its number (PNG specification, 9.2).
       */
      _filterLine(
        filtered: Uint8Array,
        raw: Uint8Array,
        y: number,
        length: number,
        bytesPerPixel: number,
        filter: number,
      ): void;
    };
    readonly crc: {
      /** The checksum of a chunk. */
      crc(bytes: Uint8Array, offset: number, length: number): number;
    };
    decode(png: ArrayBuffer): Decoded;
    /** The frames as RGBA. */
    toRGBA8(image: Decoded): ArrayBuffer[];
  };
  export default UPNG;
}
