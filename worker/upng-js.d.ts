/** The part of upng-js 2.1.0 that is used here; it ships no types. */
declare module "upng-js" {
  interface Decoded {
    width: number;
    height: number;
  }

  const UPNG: {
    /**
     * Writes a PNG.
     *
     * @param frames RGBA, row by row.
     * @param colours At most so many; 0 for all, without loss.
     * @param delays Between frames.
     * @param noPalette Whether the colours stand in the pixels themselves.
     */
    encode(
      frames: ArrayBuffer[],
      width: number,
      height: number,
      colours: number,
      delays: number[] | undefined,
      noPalette: boolean,
    ): ArrayBuffer;
    decode(png: ArrayBuffer): Decoded;
    /** The frames as RGBA. */
    toRGBA8(image: Decoded): ArrayBuffer[];
  };
  export default UPNG;
}
