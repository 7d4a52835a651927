/**
 * Reads the small ZIP archive that TFLite's metadata tools append to a model: its files by name.
 * Format: PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16; no encryption, no ZIP64, methods stored and deflate.
 */

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
/** The end record has 22 bytes and at most 65,535 of comment behind it. */
const END_SIZE = 22;
const MAX_COMMENT = 65_535;
/** Label files have some kilobytes; nothing in a model's archive comes near this. */
const MAX_FILE_BYTES = 4 << 20;

async function inflate(data: Uint8Array<ArrayBuffer>, size: number): Promise<Uint8Array> {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const bytes = new Uint8Array(size);
  let length = 0;
  for await (const chunk of stream) {
    if (length + chunk.length > size) throw new RangeError("a packed file is longer than the directory says");
    bytes.set(chunk, length);
    length += chunk.length;
  }
  if (length !== size) throw new RangeError("a packed file is shorter than the directory says");
  return bytes;
}

function findEnd(view: DataView): number | undefined {
  const last = view.byteLength - END_SIZE;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT); at--) {
    if (view.getUint32(at, true) === END_OF_DIRECTORY) return at;
  }
  return undefined;
}

/**
 * The files of the archive at the end of `bytes`, none if there is no archive.
 *
 * @throws RangeError or TypeError if there is an archive and it is damaged.
 */
export async function readAppendedZip(bytes: Uint8Array<ArrayBuffer>): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  if (end === undefined) return files;
  const count = view.getUint16(end + 10, true);
  const directorySize = view.getUint32(end + 12, true);
  // Some writers count offsets from the start of the archive and not of the file that it is appended to.
  const shift = end - directorySize - view.getUint32(end + 16, true);
  for (let at = end - directorySize, n = 0; n < count; n++) {
    if (view.getUint32(at, true) !== DIRECTORY_ENTRY) throw new RangeError("the archive's directory is damaged");
    const method = view.getUint16(at + 10, true);
    const packedSize = view.getUint32(at + 20, true);
    const size = view.getUint32(at + 24, true);
    const nameLength = view.getUint16(at + 28, true);
    const local = view.getUint32(at + 42, true) + shift;
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (size > MAX_FILE_BYTES || (method !== 0 && method !== 8)) continue;
    if (view.getUint32(local, true) !== LOCAL_HEADER) throw new RangeError(`${name} is not where the directory says`);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (start + packedSize > bytes.length) throw new RangeError(`${name} leaves the archive`);
    const packed = bytes.subarray(start, start + packedSize);
    files.set(name, method === 0 ? packed : await inflate(packed, size));
  }
  return files;
}
