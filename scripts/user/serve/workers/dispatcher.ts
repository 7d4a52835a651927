/**
 * Listens for clients and passes each request on to a worker, over that worker's unix socket. Bodies stream in both
 * directions as fast as the slower end takes them, and the end of either connection ends the other one.
 */
import { readFileSync } from "node:fs";
import {
  createServer,
  type IncomingMessage,
  request as openRequest,
  type Server,
  type ServerResponse,
} from "node:http";
import { connect, type Socket } from "node:net";
import { PEER_HEADER } from "../../../labeler/several-workers-config.ts";
import { answerBusy, answerToUnreadable } from "./problems.ts";
import type { Place, Roster } from "./roster.ts";

/** How long a request waits for a worker while none runs, in milliseconds. */
const PATIENCE = 10_000;

/** How long an idle connection is kept, in milliseconds: longer than clients such as eKuiper pause between two images. */
const KEEP_ALIVE = 75_000;

/** How long the head of a request may take, in milliseconds, and how large it may be, in bytes: workerd's limits. */
const HEAD = { timeout: 15_000, bytes: 128 << 10 };

/** How long the rest of a body is read that its worker did not want, in milliseconds. */
const DRAIN = 5000;

/** Headers of one connection, which are not passed on to the next one (RFC 9110, 7.6.1), and the one that is set here. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
  PEER_HEADER,
]);

/**
 * Names and values in turn, as Node has them, without those of the connection. Names in the header Connection are passed on
 * all the same: a client could have Content-Length removed, and its body taken for another request.
 */
function endToEnd(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if (!HOP_BY_HOP.has(raw[i].toLowerCase())) kept.push(raw[i], raw[i + 1]);
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
  const kept = endToEnd(rawHeaders);
  if (headers["transfer-encoding"] !== undefined) kept.push("Transfer-Encoding", "chunked");
  kept.push(PEER_HEADER, peerOf(socket));
  return kept;
}

/** Connects to a worker. @throws Error as connect() gives it. */
function connectTo(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

/** Whether an error says that nobody listens at a socket. */
const isGone = (error: unknown): boolean =>
  ["ECONNREFUSED", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "");

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
      // If an answer has begun, its end is not affected, or is an error of its own.
      if (!response.headersSent) {
        answerBusy(request, response, "The process that worked on this request has ended. Try again.");
      }
    });
    passed.once("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders));
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

/** File descriptors for all else than connections. */
const OTHER_DESCRIPTORS = 64;

/** How many connections there are descriptors for: each needs one, and another one to a worker. */
function mostConnections(): number {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return limit === undefined ? Number.POSITIVE_INFINITY : Math.max(1, (Number(limit) - OTHER_DESCRIPTORS) >> 1);
  } catch {
    return Number.POSITIVE_INFINITY; // no Linux
  }
}

export class Dispatcher {
  readonly #roster: Roster;
  readonly #server: Server;
  /** Connections with a request that has not been answered. */
  readonly #answering = new WeakSet<Socket>();
  #closing = false;

  constructor(roster: Roster) {
    this.#roster = roster;
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      response.on("error", () => undefined); // the client has gone
      this.#dispatch(request, response).catch((error) => {
        console.error(error);
        if (response.headersSent) response.destroy();
        else answerBusy(request, response, "The request could not be given to a worker. Try again.");
      });
    };
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
    this.#server.on("clientError", ({ code }: NodeJS.ErrnoException, socket: Socket) => {
      if (socket.writable && !this.#answering.has(socket)) socket.end(answerToUnreadable(code));
      else socket.destroy();
    });
    this.#server.on("connect", (_: IncomingMessage, socket: Socket) => {
      socket.on("error", () => undefined);
      socket.end("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    this.#server.maxConnections = mostConnections();
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
    this.#closing = true;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), patience);
    // Connections of requests that had begun before.
    const idle = setInterval(() => this.#server.closeIdleConnections(), 50);
    await closed;
    clearTimeout(timer);
    clearInterval(idle);
  }

  async #dispatch(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    this.#answering.add(socket);
    response.once("close", () => this.#answering.delete(socket));
    if (this.#closing) response.shouldKeepAlive = false;
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    response.once("finish", () => drain(request, socket));
    for (const end = performance.now() + PATIENCE; ; ) {
      const place = await this.#roster.place(Math.max(0, end - performance.now()), gone.signal);
      if (gone.signal.aborted) return place?.leave();
      if (place === undefined) return answerBusy(request, response, "No worker of the labeler runs now. Try again.");
      try {
        if (await this.#tryAt(place, request, response)) return;
      } finally {
        place.leave();
      }
    }
  }

  /** @returns Whether the worker runs. @throws Error if it cannot be reached for another reason. */
  async #tryAt({ member }: Place, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    let socket: Socket;
    try {
      socket = await connectTo(member.path);
    } catch (error) {
      if (!isGone(error)) throw error;
      this.#roster.note(member, "ended"); // until its supervisor finds that it answers
      return false;
    }
    try {
      if (!response.destroyed) await pass(request, response, socket);
    } finally {
      socket.destroy();
    }
    return true;
  }
}
