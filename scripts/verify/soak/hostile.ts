/**
 * The calls of a hostile client of `npm run soak`: damaged images, garbage instead of JSON, uploads that break off or
 * crawl.
 */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Call } from "./calls.ts";
import type { Picture } from "./pictures.ts";
import type { Random } from "./random.ts";

interface Context {
  readonly random: Random;
  readonly pictures: readonly Picture[];
  /** The labeler's address, without a slash at the end. */
  readonly url: string;
}

const PATHS = ["/label", "/ekuiper/labelImage", "/ekuiper/sink", "/models/mobilenet_v1_1.0_224", "/label?explain=1"];
const JSON_PATHS = ["/label", "/v2/models/mobilenet_v1_1.0_224/infer", "/ekuiper/labelImage"];

const truncated = ({ random, pictures }: Context): Uint8Array<ArrayBuffer> => {
  const { bytes } = random.of(pictures);
  return new Uint8Array(bytes.subarray(0, random.below(bytes.length)));
};

function fuzzed({ random, pictures }: Context): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(random.of(pictures).bytes);
  for (let n = 1 + random.below(8); n > 0; n--) {
    // Half of the damage goes to the header, where decoders are most vulnerable.
    const at = random.below(random.below(2) ? Math.min(600, bytes.length) : bytes.length);
    if (random.below(2)) bytes[at] = random.below(256);
    else bytes.fill(random.below(256), at, at + 1 + random.below(64));
  }
  return bytes;
}

/** Up to half a megabyte each. */
function garbage({ random }: Context): string {
  const count = 1 + random.below(50_000);
  return random.of([
    () => `{"images":[${"1,".repeat(count)}1]}`,
    () => `{"inputs":[${"{},".repeat(count)}{}]}`,
    () => `[${'{"x":1},'.repeat(count)}1]`,
    () => "[".repeat(count),
    () => `${"[".repeat(count % 5000)}${"]".repeat(count % 5000)}`,
    () => `{${Array.from({ length: count }, (_, i) => `"k${i}":${i}`).join()}}`,
    () => `{"image":"${"!".repeat(count)}"}`,
    () => `{"image":${"9".repeat(count % 400)}`,
    () => '{"image":null,"__proto__":{"image":"x"}}',
  ])();
}

/** Calls that are answered like any other, but without labels. */
export function hostileCall(context: Context): Call {
  const { random } = context;
  const kind = random.of(["truncated image", "fuzzed image", "garbage JSON"]);
  if (kind === "garbage JSON") {
    const headers = { "content-type": "application/json" };
    return { kind, path: random.of(JSON_PATHS), body: garbage(context), headers, pictures: [] };
  }
  const body = kind === "truncated image" ? truncated(context) : fuzzed(context);
  return { kind, path: random.of(PATHS), body, pictures: [] };
}

/** The interval of single bytes, in milliseconds. */
const CRAWL = 1000;

/**
 * Sends a part of an upload, and then a reset, a FIN, or a byte each second for a while; it does not wait for the
 * answer.
 */
export async function breakUpload({ random, pictures, url }: Context): Promise<void> {
  const { hostname, port } = new URL(url);
  const { bytes } = random.of(pictures);
  const declared = bytes.length + random.below(2) * 1_000_000;
  const sent = random.below(bytes.length);
  const crawl = random.below(3) === 0 ? random.below(12) : 0;
  const ending = random.below(2);
  const socket = connect({ host: hostname, port: Number(port) });
  const gone = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => undefined); // workerd may be killed, or answer before the upload is complete.
  socket.resume();
  socket.write(`POST ${random.of(PATHS)} HTTP/1.1\r\nHost: soak\r\nContent-Length: ${declared}\r\n\r\n`);
  await new Promise<void>((resolve) => {
    socket.write(bytes.subarray(0, sent), () => resolve());
    socket.once("close", () => resolve());
  });
  for (let i = 0; i < crawl && !socket.destroyed; i++) {
    await Promise.race([gone, sleep(CRAWL)]);
    socket.write(bytes.subarray(sent + i, sent + i + 1));
  }
  await sleep(random.below(50));
  if (ending === 0 && !socket.destroyed) socket.resetAndDestroy();
  else socket.destroy();
}
