/** What encoders.js offers: its libraries are not there for `npm run check`. */

/** [height, width, 3] RGB or, where there is a palette, [height, width] indices. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A PNG or JPEG, as RGB. */
export function readPhoto(path: string): Picture;

/** In 4:2:0, by mozjpeg. */
export function encodeJpeg(
  picture: Picture,
  options: { readonly quality: number; readonly progressive: boolean },
): Promise<Uint8Array>;

/** By libwebp. */
export function encodeWebp(
  picture: Picture,
  options: { readonly quality: number; readonly lossless: boolean },
): Promise<Uint8Array>;

/** @param palette 0xRRGGBB, 256 of them. */
export function encodeGif(indices: Picture, palette: readonly number[]): Uint8Array;
