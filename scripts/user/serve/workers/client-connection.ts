/** The connection of a client: its requests one after the other, and what is wrong with those that cannot be read. */
import type { Socket } from "node:net";
import { PEER_HEADER } from "../../../labeler/several-workers-config.ts";
import { ClientSocket } from "./client-socket.ts";
import { type Client, Exchange } from "./exchange.ts";
import { HEAD_END, parseRequestHead, type Unreadable, UnreadableRequest } from "./message-head.ts";
import { answerBusy, answerToUnreadable, METHOD_NOT_ALLOWED } from "./problems.ts";
import type { Roster } from "./roster.ts";

/** How long an idle connection is kept, in milliseconds: longer than clients such as eKuiper pause between two images. */
const KEEP_ALIVE = 75_000;

/** How long the head of a request may take, in milliseconds, and how large it may be, in bytes: workerd's limits. */
const HEAD = { timeout: 15_000, bytes: 128 << 10 };

/**
 * How long the rest of a body is read that its worker did not want, and whatever else comes behind the last answer, in
 * milliseconds: a client that still sends would lose the answer.
 */
const DRAIN = 5000;

const NOTHING = Buffer.alloc(0);
const [CARRIAGE_RETURN, LINE_FEED] = [13, 10];

/** The beginning of a method: another first byte is of another protocol, such as TLS. */
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]/;

/** The address of a client as workerd writes it. */
function peerOf({ remoteAddress = "", remotePort, remoteFamily }: Socket): string {
  return JSON.stringify({
    clientIp: `${remoteFamily === "IPv6" ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`,
  });
}

export class ClientConnection implements Client {
  readonly socket: Socket;
  readonly peer: string;
  readonly #roster: Roster;
  readonly #client: ClientSocket;
  #exchange: Exchange | undefined;
  /** What has arrived and is not of the request that is being answered: the beginning of the next one. */
  #ahead: Buffer = NOTHING;
  /** No other request is taken. */
  #closing = false;
  /** Nothing more is written. */
  #closed = false;
  /** The client sends nothing more. */
  #ended = false;
  #keepAlive = false;
  /** When it is over, in milliseconds of performance.now(), unless something happens before. */
  #deadline = performance.now() + HEAD.timeout;

  /** @param accepted From a server that does not read its connections (`pauseOnConnect`). */
  constructor(accepted: Socket, roster: Roster) {
    this.#roster = roster;
    this.peer = peerOf(accepted);
    this.#client = new ClientSocket(accepted, (bytes) => this.#safely(() => this.#take(bytes)));
    this.socket = this.#client.socket;
    this.socket.on("error", () => undefined); // the client has gone
    this.socket.once("end", () => this.#safely(() => this.#end()));
    this.socket.once("close", () => this.#exchange?.abort());
  }

  get keepAlive(): number | undefined {
    return this.#keepAlive && !this.#closing && !this.#ended ? KEEP_ALIVE / 1000 : undefined;
  }

  /** Takes no other request. @param now Whether the one that is being answered is given up. */
  close(now: boolean): void {
    this.#closing = true;
    const isIdle = this.#exchange === undefined && this.#ahead.length === 0;
    if (now || isIdle) this.socket.destroy();
  }

  /** Ends it if what it waits for has taken too long. @param time Of performance.now(). */
  check(time: number): void {
    if (time < this.#deadline) return;
    if (this.#closed || this.#exchange !== undefined || this.#ahead.length === 0) this.socket.destroy();
    else this.#refuse("too slow");
  }

  answered(again: boolean): void {
    this.#deadline = performance.now() + DRAIN;
    this.#keepAlive = again;
    if (!again) this.#finish();
    if (this.#exchange?.requestComplete) this.#next();
    else this.socket.resume(); // what is left of the body is read and dropped
  }

  failed(detail: string): void {
    if (this.socket.destroyed) return;
    this.socket.write(answerBusy(this.#exchange?.head.target ?? "", detail));
    this.answered(false);
  }

  /** A fault of this program must not end it: it ends this connection alone. */
  #safely(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (error instanceof UnreadableRequest) this.#refuse(error.why);
      else {
        console.error(error);
        this.socket.destroy();
      }
    }
  }

  #take(bytes: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      if (!this.#closed) this.#takeHead(bytes);
      return;
    }
    const taken = exchange.takeBody(bytes);
    if (taken < bytes.length && !this.#closed) this.#keep(bytes.subarray(taken));
    if (exchange.over && exchange.requestComplete) this.#next();
  }

  /** Keeps bytes for later, and reads no more until then. */
  #keep(bytes: Buffer): void {
    this.#ahead = Buffer.concat([this.#ahead, bytes]);
    this.socket.pause();
  }

  #takeHead(arrived: Buffer): void {
    const known = this.#ahead.length;
    const bytes = known === 0 ? arrived : Buffer.concat([this.#ahead, arrived]);
    let begin = 0;
    while (bytes[begin] === CARRIAGE_RETURN || bytes[begin] === LINE_FEED) begin++; // RFC 9112, 2.2
    const end = bytes.indexOf(HEAD_END, Math.max(begin, known - HEAD_END.length));
    if (end < 0 ? bytes.length > HEAD.bytes : end > HEAD.bytes) throw new UnreadableRequest("too long");
    if (end < 0) {
      if (begin < bytes.length && !METHOD.test(bytes.toString("latin1", begin, begin + 1)))
        throw new UnreadableRequest();
      if (known === 0) this.#deadline = performance.now() + HEAD.timeout;
      this.#ahead = known === 0 ? Buffer.from(bytes.subarray(begin)) : bytes.subarray(begin);
      return;
    }
    this.#ahead = NOTHING;
    const head = parseRequestHead(bytes.toString("latin1", begin, end), PEER_HEADER);
    if (head.method === "CONNECT") {
      this.#giveUp(METHOD_NOT_ALLOWED);
      return;
    }
    this.#keepAlive = head.keepsAlive;
    this.#deadline = Number.POSITIVE_INFINITY; // the workers watch how fast bodies arrive
    const exchange = new Exchange(this.#roster, this, head);
    this.#exchange = exchange;
    const rest = bytes.subarray(end + HEAD_END.length);
    const taken = exchange.begin(rest);
    if (!exchange.requestComplete) {
      this.#client.ownBuffer();
      this.socket.pause(); // until the worker has been reached
    } else if (taken < rest.length) this.#keep(rest.subarray(taken));
  }

  /** Takes the next request. */
  #next(): void {
    this.#exchange = undefined;
    this.#client.shareBuffer();
    if (this.#closed) return;
    if (this.#closing || this.#ended) {
      this.socket.destroySoon(); // nothing more comes, or is wanted
      return;
    }
    this.#deadline = performance.now() + KEEP_ALIVE;
    const ahead = this.#ahead;
    this.#ahead = NOTHING;
    this.socket.resume();
    if (ahead.length > 0) this.#safely(() => this.#takeHead(ahead));
  }

  /** The client says that it sends nothing more. It may still wait for its answer. */
  #end(): void {
    this.#ended = true;
    if (this.#exchange === undefined) this.#finish();
    else if (!this.#exchange.requestComplete) this.socket.destroy();
  }

  #refuse(why: Unreadable): void {
    // Behind a part of an answer, nothing can be said.
    if (this.#exchange?.answerBegun || this.#closed) this.socket.destroy();
    else this.#giveUp(answerToUnreadable(why));
  }

  /** Writes a last answer. */
  #giveUp(text: string): void {
    this.#exchange?.abort();
    this.#exchange = undefined;
    this.#ahead = NOTHING;
    this.socket.write(text, "latin1");
    this.#finish();
  }

  /** Writes nothing more; the connection is closed when the client has closed it, too, or after a while. */
  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deadline = performance.now() + DRAIN;
    this.socket.end();
    this.socket.resume();
  }
}
