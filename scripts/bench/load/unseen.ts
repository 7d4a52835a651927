/** Images that a server has not seen before. */

let sent = 0;

/** 16 bytes that no image had before. */
const ownBytes = (): Uint8Array<ArrayBuffer> => new Uint8Array(new Float64Array([Date.now(), sent++]).buffer);

/** The first bytes of a JPEG, and of a comment in it. */
const START_OF_IMAGE = [0xff, 0xd8];
const COMMENT = [0xff, 0xfe];

/** A comment of a JPEG. */
function comment(text: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = text.length + 2;
  return new Uint8Array([...COMMENT, length >> 8, length & 0xff, ...text]);
}

/**
 * The bytes of an image with something of its own, so that no server has labelled this very file yet. A JPEG gets a comment
 * at its beginning, since two photos differ there, too; other files get something behind their end.
 */
export function unseenParts(image: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const own = ownBytes();
  if (!START_OF_IMAGE.every((byte, at) => image[at] === byte)) return [image, own];
  const start = START_OF_IMAGE.length;
  return [image.subarray(0, start), comment(own), image.subarray(start)];
}

/** See unseenParts(). */
export const unseen = (image: Uint8Array<ArrayBuffer>): Blob => new Blob(unseenParts(image));
