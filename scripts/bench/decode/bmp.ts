/** A writer of BMP files, in plain JavaScript, so that the tests of the resize can use it in workerd as well. */

/** data: [height, width, 3] RGB, 0..255. The file has 24 bits a pixel, bottom row first unless `topDown`. */
export function encodeBmp(
  { width, height, data }: { width: number; height: number; data: Uint8Array },
  { topDown = false } = {},
): Uint8Array<ArrayBuffer> {
  const stride = (3 * width + 3) & ~3;
  const file = new Uint8Array(54 + stride * height);
  const view = new DataView(file.buffer);
  file.set([0x42, 0x4d]);
  view.setUint32(2, file.length, true);
  view.setUint32(10, 54, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, topDown ? -height : height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  view.setUint32(34, stride * height, true);
  for (let y = 0; y < height; y++) {
    const row = 54 + stride * (topDown ? y : height - 1 - y);
    for (let i = 0; i < 3 * width; i += 3) {
      for (let c = 0; c < 3; c++) file[row + i + c] = data[3 * width * y + i + 2 - c];
    }
  }
  return file;
}
