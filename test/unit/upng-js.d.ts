/** The parts of upng-js 2.1.0 that the tests use, as an oracle for plain RGB; it ships no types. */
declare module "upng-js" {
  interface Decoded {
    width: number;
    height: number;
  }

  const UPNG: {
    decode(png: ArrayBuffer): Decoded;
    /** The frames as RGBA. */
    toRGBA8(image: Decoded): ArrayBuffer[];
  };
  export default UPNG;
}
