/**
 * Listens for clients and passes each request on to a worker, over that worker's unix socket. Bodies stream in both
 * directions as fast as the slower end takes them, and the end of either connection ends the other one.
 */
import {
  createServer,
  type IncomingMessage,
  request as openRequest,
  type Server,
  type ServerResponse,
} from "node:http";
import { connect, type Socket } from "node:net";
import { PEER_HEADER } from "../../../labeler/several-workers-config.ts";
import { answerBusy } from "./busy.ts";
import type { Place, Roster } from "./roster.ts";

/** How long a request waits for a worker while none serves, in milliseconds. */
const PATIENCE = 10_000;

/** How long an idle connection is kept, in milliseconds: longer than clients such as eKuiper pause between two images. */
const KEEP_ALIVE = 75_000;

/** How long the head of a request may take, in milliseconds, and how large it may be, in bytes: workerd's limits. */
const HEAD = { timeout: 15_000, bytes: 128 << 10 };

/** How long the rest of a body is read that its worker did not want, in milliseconds. */
const DRAIN = 5000;

/** Headers of one connection, which are not passed on to the next one (RFC 9110, 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** Names and values in turn, as Node has them, without those of the connection and those that `also` names. */
function endToEnd(raw: readonly string[], connection: string | undefined, also?: string): string[] {
  const named = connection?.toLowerCase().split(/[\s,]+/) ?? [];
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i].toLowerCase();
    if (HOP_BY_HOP.has(name) || name === also || named.includes(name)) continue;
    kept.push(raw[i], raw[i + 1]);
  }
  return kept;
}

/** The address of a client as workerd writes it. */
function peerOf({ remoteAddress = "", remotePort, remoteFamily }: Socket): string {
  return JSON.stringify({
    clientIp: `${remoteFamily === "IPv6" ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`,
  });
}

/** The head of a request as its worker receives it. */
function headersFor(request: IncomingMessage): string[] {
  const { rawHeaders, headers, socket } = request;
  const kept = endToEnd(rawHeaders, headers.connection, PEER_HEADER);
  if (headers["transfer-encoding"] !== undefined) kept.push("Transfer-Encoding", "chunked");
  kept.push(PEER_HEADER, peerOf(socket));
  return kept;
}

/** Connects to a worker. @returns Undefined if nobody listens there. */
function connectTo(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const refused = () => resolve(undefined);
    socket.once("error", refused);
    socket.once("connect", () => {
      socket.off("error", refused);
      resolve(socket);
    });
  });
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;

/** Passes a request on over a connection to a worker, and its answer back. @returns When both have ended. */
function pass(request: IncomingMessage, response: ServerResponse, socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const passed = openRequest({
      createConnection: () => socket,
      method: request.method,
      path: request.url,
      headers: headersFor(request),
      setHost: false,
    });
    response.once("close", () => {
      passed.destroy();
      resolve();
    });
    passed.on("error", () => {
      // The worker has ended, or has closed the connection behind an answer that is complete.
      if (response.headersSent) {
        if (!response.writableEnded) response.destroy();
      } else answerBusy(request, response, "The process that worked on this request has ended. Try again.");
    });
    passed.once("response", (answer) => {
      response.writeHead(
        answer.statusCode ?? 502,
        answer.statusMessage,
        endToEnd(answer.rawHeaders, answer.headers.connection),
      );
      answer.on("error", () => response.destroy());
      answer.pipe(response);
    });
    passed.on("continue", () => response.writeContinue());
    if (hasBody(request)) {
      request.on("error", () => passed.destroy());
      request.pipe(passed);
    } else {
      passed.end();
    }
  });
}

/** Reads what is left of a body behind its answer, for a while: a client that still sends would lose the answer. */
function drain(request: IncomingMessage, socket: Socket): void {
  if (request.complete || socket.destroyed) return;
  request.unpipe();
  request.resume();
  const timer = setTimeout(() => socket.destroy(), DRAIN);
  request.once("close", () => clearTimeout(timer));
}

export class Dispatcher {
  readonly #roster: Roster;
  readonly #server: Server;

  constructor(roster: Roster) {
    this.#roster = roster;
    const handle = (request: IncomingMessage, response: ServerResponse) => void this.#dispatch(request, response);
    this.#server = createServer(
      {
        keepAliveTimeout: KEEP_ALIVE,
        headersTimeout: HEAD.timeout,
        requestTimeout: 0, // the workers watch how fast bodies arrive
        maxHeaderSize: HEAD.bytes,
        connectionsCheckingInterval: 5000,
      },
      handle,
    );
    this.#server.on("checkContinue", handle); // the worker says whether it wants the body
    this.#server.on("connect", (_: IncomingMessage, socket: Socket) => {
      socket.on("error", () => undefined);
      socket.end("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    // A client may say that it sends no more, and still wait for its answer.
    Object.assign(this.#server, { httpAllowHalfOpen: true });
  }

  /** @throws Error if nobody can listen there. */
  listen(port: number, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        this.#server.on("error", console.error);
        resolve();
      });
    });
  }

  /** Accepts nothing more, and lets requests end. @param patience How long they may take, in milliseconds. */
  async close(patience: number): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), patience);
    await closed;
    clearTimeout(timer);
  }

  async #dispatch(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    response.once("finish", () => drain(request, socket));
    for (const end = performance.now() + PATIENCE; ; ) {
      const place = await this.#roster.place(Math.max(0, end - performance.now()), gone.signal);
      if (gone.signal.aborted) return place?.leave();
      if (place === undefined) return answerBusy(request, response, "No worker of the labeler runs now. Try again.");
      const passed = await this.#tryAt(place, request, response);
      place.leave();
      if (passed) return;
    }
  }

  /** @returns Whether the worker could be reached. */
  async #tryAt({ member }: Place, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const socket = await connectTo(member.path);
    if (socket === undefined) {
      this.#roster.serve(member, false); // until its supervisor finds that it answers
      return false;
    }
    if (response.destroyed) socket.destroy();
    else await pass(request, response, socket);
    return true;
  }
}
