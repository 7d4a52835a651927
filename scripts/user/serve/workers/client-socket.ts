/**
 * The connection of a client, which is read into buffers that are used again. Node gives each read of a server's connection
 * a buffer of 64 KB, so that the garbage of large bodies would take a third of the time of the dispatcher and 30 MB.
 */
import { Socket, type SocketConstructorOpts } from "node:net";

/** How much is read at once, in bytes. */
const SIZE = 64 << 10;

/** For connections whose bytes are copied before another one is read. */
const shared = Buffer.allocUnsafeSlow(SIZE);

/** How much of a body is read at once while few are sent, in bytes: a third less time for 12 MP than by 64 KB. */
const LARGE = { size: 256 << 10, most: 16 };

/** Large buffers that no connection has, and how many there are in all. */
const spare: Buffer[] = [];
let large = 0;

function takeBuffer(): Buffer {
  const found = spare.pop();
  if (found !== undefined) return found;
  if (large === LARGE.most) return Buffer.allocUnsafeSlow(SIZE);
  large++;
  return Buffer.allocUnsafeSlow(LARGE.size);
}

function giveBuffer(buffer: Buffer): void {
  if (buffer.length === LARGE.size) spare.push(buffer);
}

interface Handle {
  readonly useUserBuffer?: unknown;
}

export class ClientSocket {
  readonly socket: Socket;
  #own: Buffer | undefined;
  /** Whether the own buffer is given back as soon as nothing is read into it any more. */
  #shares = true;

  /**
   * @param accepted From a server that does not read its connections (`pauseOnConnect`).
   * @param take Receives bytes. They are valid until it returns; after ownBuffer(), until the next ones.
   */
  constructor(accepted: Socket, take: (bytes: Buffer) => void) {
    this.socket = this.#reuseBuffers(accepted, take);
    this.socket.once("close", () => this.#giveBack());
    this.socket.resume();
  }

  /** From the next bytes on, they come in a buffer of this connection alone. */
  ownBuffer(): void {
    this.#shares = false;
    this.#own ??= takeBuffer();
  }

  /** Bytes may come in a buffer that connections share. */
  shareBuffer(): void {
    this.#shares = true;
  }

  #giveBack(): void {
    if (this.#own !== undefined) giveBuffer(this.#own);
    this.#own = undefined;
  }

  /** The buffer of the next read; of the one that follows if a buffer is chosen meanwhile. */
  #nextBuffer(): Buffer {
    if (this.#shares) this.#giveBack();
    return this.#own ?? shared;
  }

  /**
   * Takes over the connection: only a socket that is made for it reads into given buffers (`onread`). Node has no public
   * way to get at the connection of a server's socket; without `_handle`, it is read in the usual way.
   */
  #reuseBuffers(accepted: Socket, take: (bytes: Buffer) => void): Socket {
    const inner = accepted as unknown as { _handle?: Handle | null };
    const handle = inner._handle;
    if (typeof handle?.useUserBuffer !== "function") return accepted.on("data", take);
    inner._handle = null;
    const callback = (count: number, buffer: Uint8Array) => {
      const bytes = (buffer as Buffer).subarray(0, count);
      // The read had begun before ownBuffer() was called.
      take(buffer === shared && !this.#shares ? Buffer.from(bytes) : bytes);
      return true;
    };
    const onread = { buffer: () => this.#nextBuffer(), callback };
    const socket = new Socket({ handle, allowHalfOpen: true, onread } as SocketConstructorOpts);
    socket.once("close", () => accepted.destroy()); // its server counts it
    return socket;
  }
}
