/**
 * Clients whose uploads break: they send a part of a request, and then reset the connection, or close one or both
 * directions.
 */
import { connect, type Socket } from "node:net";

export interface UploadBody {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent in chunks, so that nobody knows how long it is; else with a Content-Length. */
  readonly chunked: boolean;
}

/** How a connection ends: RST; FIN and nothing is read any more; FIN and the answer is still awaited. */
export const ENDINGS = ["reset", "abort", "half-close"] as const;
export type Ending = (typeof ENDINGS)[number];

/** Until the labeler has taken in what was sent, in milliseconds. */
const SETTLE = 60;
/** How long the other half of a connection is kept, in milliseconds; as long as slots are looked at. */
const HALF_OPEN = 1500;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** How much of a request is sent. */
export interface Phase {
  readonly name: string;
  /** Of how many bytes of a body the last one is sent; -1: the head is not whole either. */
  readonly until: (size: number) => number;
}

/** From the whole body to none. */
export const PHASES: readonly Phase[] = [
  { name: "all of the body", until: (size) => size },
  { name: "all but one byte", until: (size) => size - 1 },
  { name: "2/3", until: (size) => Math.floor((2 * size) / 3) },
  { name: "1/3", until: (size) => Math.floor(size / 3) },
  { name: "1 byte", until: () => 1 },
  { name: "the head", until: () => 0 },
  { name: "half of the head", until: () => -1 },
];

/** In the first of them all of an image has come: what is missing is behind its end. */
export const WHOLE_IMAGES = 2;

function requestBytes(path: string, { bytes, headers, chunked }: UploadBody, sent: number): Buffer {
  const length = chunked ? "Transfer-Encoding: chunked" : `Content-Length: ${bytes.length}`;
  const others = Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`);
  const head = Buffer.from([`POST ${path} HTTP/1.1`, "Host: 127.0.0.1", length, ...others, "", ""].join("\r\n"));
  if (sent < 0) return head.subarray(0, head.length >> 1);
  if (!chunked) return Buffer.concat([head, bytes.subarray(0, sent)]);
  // One chunk, which is announced as a whole.
  const announced = Buffer.from(`${bytes.length.toString(16)}\r\n`);
  const parts = sent === 0 ? [head] : [head, announced, bytes.subarray(0, sent)];
  return Buffer.concat(sent === bytes.length ? [...parts, Buffer.from("\r\n0\r\n\r\n")] : parts);
}

export class BrokenUpload {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Sends so much of a request and waits until the labeler has taken it in. @param url Without a slash at the end. */
  static async send(url: string, path: string, body: UploadBody, { until }: Phase): Promise<BrokenUpload> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    socket.on("error", () => undefined); // it may be refused before all of it is sent
    socket.resume();
    await new Promise((resolve) => {
      socket.once("close", resolve);
      socket.write(requestBytes(path, body, until(body.bytes.length)), resolve);
    });
    await pause(SETTLE);
    return new BrokenUpload(socket);
  }

  break(ending: Ending): void {
    if (ending === "reset") this.#socket.resetAndDestroy();
    else if (ending === "abort") this.#socket.destroy();
    else {
      this.#socket.end();
      setTimeout(() => this.#socket.destroy(), HALF_OPEN).unref();
    }
  }
}
