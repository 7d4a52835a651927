/**
 * Decompresses bodies while they arrive: gzip (RFC 1952), and deflate, which is zlib (RFC 1950) or bare (RFC 1951).
 */
import { LabelerError } from "../errors.ts";
import type { ByteStream } from "../runtime/byte-stream.ts";
import type { Execute } from "../runtime/execute.ts";
import { Inflate, InflateError } from "../runtime/inflate.ts";
import { quote } from "../validation/quote.ts";

/** The value of Accept-Encoding in an answer (RFC 9110, 15.5.16). */
export const ACCEPTED_ENCODINGS = "gzip, deflate";

type Encoding = "gzip" | "deflate";

/** The most members of a gzip file. An encoder writes one; thousands are an attack. */
const MAX_MEMBERS = 1000;

/** The cost of decompressing a chunk as the scheduler counts it, in milliseconds. */
const UNITS = 0.3;

/**
 * The compression of a body.
 *
 * @param header Content-Encoding.
 * @returns Undefined if the body is not compressed.
 * @throws LabelerError of kind unsupported-encoding for any other encoding, and for several.
 */
export function encodingOf(header: string | null): Encoding | undefined {
  const names = (header ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
  const [name, second] = names;
  if (name === undefined) return undefined;
  if (second === undefined && (name === "gzip" || name === "x-gzip")) return "gzip";
  if (second === undefined && name === "deflate") return "deflate";
  throw new LabelerError(
    "unsupported-encoding",
    `The Content-Encoding is ${quote(header)}; the labeler reads gzip or deflate, one of them. Images are compressed already: send ` +
      "them as they are.",
  );
}

const damaged = (encoding: Encoding, cause?: unknown): LabelerError => {
  const reason = cause instanceof InflateError ? ` (${cause.message})` : "";
  return new LabelerError(
    "bad-body",
    `The body is not what its Content-Encoding says, or it is damaged: it cannot be read as ${encoding}${reason}. Send it again, or ` +
      "uncompressed and without this header.",
    { cause },
  );
};

/** The bytes of a compressed body: one by one for its heads, in chunks for its content. */
class Compressed {
  readonly #source: ByteStream;
  #chunk: Uint8Array = new Uint8Array();

  constructor(source: ByteStream) {
    this.#source = source;
  }

  /** The next chunk; undefined at the end. */
  async chunk(): Promise<Uint8Array | undefined> {
    const chunk = this.#chunk;
    this.#chunk = new Uint8Array();
    return chunk.length > 0 ? chunk : this.#source.next();
  }

  giveBack(bytes: Uint8Array): void {
    this.#chunk = bytes;
  }

  /** The next byte; undefined at the end. */
  async byte(): Promise<number | undefined> {
    while (this.#chunk.length === 0) {
      const chunk = await this.#source.next();
      if (chunk === undefined) return undefined;
      this.#chunk = chunk;
    }
    const [byte] = this.#chunk;
    this.#chunk = this.#chunk.subarray(1);
    return byte;
  }

  /** @throws LabelerError if the body ends before that. */
  async bytes(count: number, encoding: Encoding): Promise<number[]> {
    const bytes: number[] = [];
    while (bytes.length < count) {
      const byte = await this.byte();
      if (byte === undefined) throw cutOff(encoding);
      bytes.push(byte);
    }
    return bytes;
  }
}

const cutOff = (encoding: Encoding): LabelerError =>
  new LabelerError("bad-body", `The body ends within its ${encoding}. Send all of it.`);

const FLAGS = { crc: 2, extra: 4, name: 8, comment: 16 };

/** Reads a gzip member's head. @param magic Its first two bytes. */
async function readGzipHead(body: Compressed, magic: readonly number[]): Promise<void> {
  const [method, flags = 0] = await body.bytes(8, "gzip");
  if (magic[0] !== 0x1f || magic[1] !== 0x8b || method !== 8 || flags > 31) throw damaged("gzip");
  if ((flags & FLAGS.extra) !== 0) {
    const [low = 0, high = 0] = await body.bytes(2, "gzip");
    for (let left = low + 256 * high; left > 0; left--) await body.bytes(1, "gzip");
  }
  for (const flag of [FLAGS.name, FLAGS.comment]) {
    if ((flags & flag) === 0) continue;
    for (let [byte] = await body.bytes(1, "gzip"); byte !== 0; [byte] = await body.bytes(1, "gzip"));
  }
  if ((flags & FLAGS.crc) !== 0) await body.bytes(2, "gzip");
}

/** Whether two bytes are the head of zlib, which those of a bare deflate stream are only by accident. */
const isZlib = ([method = 0, flags = 0]: readonly number[]): boolean =>
  (method & 15) === 8 && method >> 4 <= 7 && (method * 256 + flags) % 31 === 0 && (flags & 32) === 0;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let i = 0; i < 8; i++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(crc: number, bytes: Uint8Array): number {
  let value = ~crc;
  for (const byte of bytes) value = (CRC_TABLE[(value ^ byte) & 255] ?? 0) ^ (value >>> 8);
  return ~value >>> 0;
}

/** The content of one member. @param onBytes Gets the decoded bytes, while the thread is still held. */
async function* inflated(
  body: Compressed,
  inflate: Inflate,
  encoding: Encoding,
  execute: Execute,
  onBytes: (bytes: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void> {
  while (!inflate.ended) {
    if (inflate.starved) {
      inflate.keep();
      const chunk = await body.chunk();
      if (chunk === undefined) throw cutOff(encoding);
      inflate.push(chunk);
    }
    const bytes = await execute(UNITS, () => {
      const step = inflate.step();
      onBytes(step);
      return step;
    }).catch((error: unknown) => {
      throw error instanceof InflateError ? damaged(encoding, error) : error;
    });
    if (bytes.length > 0) yield bytes;
  }
  body.giveBack(inflate.restart());
}

async function* gunzipped(body: Compressed, execute: Execute): AsyncGenerator<Uint8Array, void> {
  const inflate = new Inflate();
  for (let member = 0; ; member++) {
    const first = await body.byte();
    // Behind the first member there may be padding.
    if (first === undefined || (member > 0 && first !== 0x1f)) {
      if (member === 0) throw cutOff("gzip");
      return;
    }
    if (member === MAX_MEMBERS) throw damaged("gzip", new InflateError(`it has more than ${MAX_MEMBERS} members`));
    await readGzipHead(body, [first, ...(await body.bytes(1, "gzip"))]);
    let crc = 0;
    yield* inflated(body, inflate, "gzip", execute, (bytes) => {
      crc = crc32(crc, bytes);
    });
    const trailer = await body.bytes(8, "gzip");
    const expected = trailer.slice(0, 4).reduceRight((sum, byte) => sum * 256 + byte, 0);
    if (expected !== crc) throw damaged("gzip", new InflateError("its checksum does not match"));
  }
}

async function* undeflated(body: Compressed, execute: Execute): AsyncGenerator<Uint8Array, void> {
  const head = await body.bytes(2, "deflate");
  if (!isZlib(head)) body.giveBack(new Uint8Array([...head, ...((await body.chunk()) ?? [])]));
  yield* inflated(body, new Inflate(), "deflate", execute, () => undefined);
}

/**
 * Decompresses a body, at most 16 KB ahead of its reader. Each chunk is valid until the next one is requested.
 *
 * @throws LabelerError of kind bad-body, from the chunks, if the body has another encoding, is damaged or is incomplete.
 */
export function decodedBody(stream: ByteStream, encoding: Encoding, execute: Execute): AsyncIterable<Uint8Array> {
  const body = new Compressed(stream);
  return encoding === "gzip" ? gunzipped(body, execute) : undeflated(body, execute);
}
