/**
 * One request of a client and its answer, over a connection of its own to a worker: so no request is written to a worker that
 * has already ended. Bodies stream in both directions as fast as the slower end takes them.
 */
import { connect, type Socket } from "node:net";
import { PEER_HEADER } from "../../../labeler/several-workers-config.ts";
import { bodyThatEnds, type MessageBody } from "./message-body.ts";
import { type AnswerHead, HEAD_END, parseAnswerHead, type RequestHead } from "./message-head.ts";
import type { Place, Roster } from "./roster.ts";

/** How long a request waits for a worker while none runs, in milliseconds. */
const PATIENCE = 10_000;

/** How many bytes of an answer may wait for the client before the worker has to wait, too. */
const AHEAD = 64 << 10;

/** The connection of the client, as an exchange uses it. */
export interface Client {
  readonly socket: Socket;
  /** Its address in the header for the worker. */
  readonly peer: string;
  /** How long the connection is kept for the next request, in seconds; undefined if it is closed behind the answer. */
  readonly keepAlive: number | undefined;
  /** All of the answer has been written. @param again Whether another one can follow it. */
  answered(again: boolean): void;
  /** The request failed before an answer began. @param detail What has happened, and what to do. */
  failed(detail: string): void;
}

/** Whether an error says that nobody listens at a socket. */
const isGone = ({ code }: NodeJS.ErrnoException): boolean => code === "ECONNREFUSED" || code === "ENOENT";

export class Exchange {
  readonly head: RequestHead;
  readonly #roster: Roster;
  readonly #client: Client;
  readonly #requestBody: MessageBody;
  /** The head for the worker and what came of the body behind it, until the worker has been reached. */
  #beginning: Buffer;
  #place: Place | undefined;
  #worker: Socket | undefined;
  /** The beginning of an answer whose head is not complete. */
  #answerStart = "";
  #answer: AnswerHead | undefined;
  #answerBody: MessageBody | undefined;
  /** The answer is complete, or there will be none. */
  #over = false;
  readonly #gone = new AbortController();

  /** @param rest What came behind the head, of which takeBody() has not taken anything yet. */
  constructor(roster: Roster, client: Client, head: RequestHead) {
    this.#roster = roster;
    this.#client = client;
    this.head = head;
    this.#requestBody = bodyThatEnds(head.body);
    const lines = [`${head.method} ${head.target} HTTP/1.1`, ...head.lines, `${PEER_HEADER}: ${client.peer}`];
    this.#beginning = Buffer.from(lines.join("\r\n") + HEAD_END, "latin1");
  }

  /** Whether all of the request has arrived. */
  get requestComplete(): boolean {
    return this.#requestBody.complete;
  }

  get answerBegun(): boolean {
    return this.#answer !== undefined;
  }

  get over(): boolean {
    return this.#over;
  }

  /**
   * Begins. The client should not be read until the worker has been reached, which resumes it.
   *
   * @param bytes What came behind the head, which is copied.
   * @returns How many of them belong to the request.
   * @throws UnreadableRequest
   */
  begin(bytes: Buffer): number {
    const taken = bytes.length === 0 ? 0 : this.#requestBody.take(bytes);
    if (taken > 0) this.#beginning = Buffer.concat([this.#beginning, bytes.subarray(0, taken)]);
    const place = this.#roster.placeNow();
    if (place === undefined) void this.#wait(performance.now() + PATIENCE);
    else this.#tryAt(place, performance.now() + PATIENCE);
    return taken;
  }

  /**
   * Takes more of the body. If the worker does not take it at once, the client is paused until it has: until then its
   * bytes must not change.
   *
   * @returns How many of the bytes belong to the request.
   * @throws UnreadableRequest
   */
  takeBody(bytes: Buffer): number {
    const taken = this.#requestBody.take(bytes);
    const worker = this.#worker;
    if (this.#over || worker === undefined || worker.destroyed || taken === 0) return taken;
    const { socket } = this.#client;
    worker.write(bytes.subarray(0, taken), () => this.#flushed());
    if (worker.writableLength > 0) socket.pause();
    return taken;
  }

  /** The client has gone. */
  abort(): void {
    this.#finish();
    this.#gone.abort();
  }

  /** The worker has taken all that it was sent, or never will. */
  #flushed(): void {
    if (!this.#over && this.#worker?.writableLength === 0) this.#client.socket.resume();
  }

  async #wait(until: number): Promise<void> {
    const place = await this.#roster.place(Math.max(0, until - performance.now()), this.#gone.signal);
    if (this.#gone.signal.aborted) place?.leave();
    else if (place === undefined) this.#fail("No worker of the labeler runs now. Try again.");
    else this.#tryAt(place, until);
  }

  #tryAt(place: Place, until: number): void {
    this.#place = place;
    const worker = connect(place.member.path);
    this.#worker = worker;
    let reached = false;
    let failure: NodeJS.ErrnoException | undefined;
    worker.once("connect", () => {
      reached = true;
    });
    worker.on("error", (error) => {
      failure = error;
    });
    worker.once("close", () => {
      if (this.#over) return;
      if (reached || failure === undefined) this.#workerEnded();
      else if (isGone(failure)) {
        this.#roster.note(place.member, "ended"); // until its supervisor finds that it answers
        this.#leave();
        void this.#wait(until);
      } else {
        console.error(failure);
        this.#fail("The request could not be given to a worker. Try again.");
      }
    });
    worker.on("data", (bytes: Buffer) => {
      try {
        this.#takeAnswer(bytes);
      } catch (error) {
        console.error(error);
        worker.destroy();
      }
    });
    worker.write(this.#beginning, () => this.#flushed());
  }

  #takeAnswer(bytes: Buffer): void {
    if (this.#over) return;
    if (this.#answerBody !== undefined) {
      this.#passOn(bytes, this.#answerBody);
      return;
    }
    const before = this.#answerStart.length;
    this.#answerStart += bytes.toString("latin1");
    for (let begin = 0; ; ) {
      const end = this.#answerStart.indexOf(HEAD_END, begin);
      if (end < 0) {
        this.#answerStart = this.#answerStart.slice(begin);
        return;
      }
      const text = this.#answerStart.slice(begin, end);
      const answer = parseAnswerHead(text, this.head.method);
      begin = end + HEAD_END.length;
      if (answer.status < 200) {
        if (this.head.minor === 1) this.#client.socket.write(text + HEAD_END, "latin1");
        continue;
      }
      this.#answer = answer;
      this.#answerStart = "";
      this.#answerBody = bodyThatEnds(answer.body);
      this.#passOn(bytes.subarray(begin - before), this.#answerBody, this.#headFor(answer));
      return;
    }
  }

  /** Whether the client can have another answer behind this one. */
  #again({ body }: AnswerHead): boolean {
    return this.#client.keepAlive !== undefined && body !== "end of connection" && !this.#unpacks(body);
  }

  /** Whether chunks are for a client that does not know them. */
  #unpacks(body: AnswerHead["body"]): boolean {
    return body === "chunked" && this.head.minor === 0;
  }

  #headFor(answer: AnswerHead): Buffer {
    const { status, reason, body } = answer;
    const lines = [`HTTP/1.1 ${status} ${reason}`, ...answer.lines];
    if (body === "chunked" && !this.#unpacks(body)) lines.push("Transfer-Encoding: chunked");
    if (this.#again(answer)) lines.push("Connection: keep-alive", `Keep-Alive: timeout=${this.#client.keepAlive}`);
    else lines.push("Connection: close");
    return Buffer.from(lines.join("\r\n") + HEAD_END, "latin1");
  }

  #passOn(bytes: Buffer, body: MessageBody, head?: Buffer): void {
    const { socket } = this.#client;
    const answer = this.#answer as AnswerHead;
    const pieces = head === undefined ? [] : [head];
    if (this.#unpacks(answer.body)) body.take(bytes, (content) => pieces.push(content));
    else pieces.push(bytes.subarray(0, body.take(bytes)));
    socket.write(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
    if (body.complete) this.#end(this.#again(answer));
    else if (socket.writableLength > AHEAD) {
      this.#worker?.pause();
      socket.once("drain", () => this.#worker?.resume());
    }
  }

  /** The worker has closed the connection before the end of its answer is known. */
  #workerEnded(): void {
    if (this.#answer === undefined) this.#fail("The process that worked on this request has ended. Try again.");
    else if (this.#answer.body === "end of connection") this.#end(false);
    else {
      this.#finish();
      this.#client.socket.destroy();
    }
  }

  #fail(detail: string): void {
    this.#finish();
    this.#client.failed(detail);
  }

  #end(again: boolean): void {
    this.#finish();
    this.#client.answered(again);
  }

  #finish(): void {
    this.#over = true;
    this.#leave();
    this.#worker?.destroy();
  }

  #leave(): void {
    this.#place?.leave();
    this.#place = undefined;
  }
}
