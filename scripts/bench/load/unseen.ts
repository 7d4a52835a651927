/** Images that a server has not seen before. */

let sent = 0;

/** What follows the image that is sent next: bytes of its own, which no decoder reads. */
export const ownBytes = (): Uint8Array<ArrayBuffer> => new Uint8Array(new Float64Array([Date.now(), sent++]).buffer);

/** The image with something of its own after its end: no server has labelled this very file yet. */
export const unseen = (image: Uint8Array<ArrayBuffer>): Blob => new Blob([image, ownBytes()]);
