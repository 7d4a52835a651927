/** Listens for clients, and passes each of their requests on to a worker. */
import { readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { MORE_DESCRIPTORS } from "../causes.ts";
import { ClientConnection } from "./client-connection.ts";
import type { Roster } from "./roster.ts";

/** How often it is looked for connections that take too long, in milliseconds. */
const CHECKED_EVERY = 1000;

/** How often it is said that there are no descriptors left, in milliseconds. */
const SAID_EVERY = 60_000;

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
  readonly #connections = new Set<ClientConnection>();
  #checks: ReturnType<typeof setInterval> | undefined;
  /** When it was last said that connections are closed at once, a time of performance.now(). */
  #saidAt = Number.NEGATIVE_INFINITY;

  /** @param most How many connections it keeps at a time; it closes more at once. */
  constructor(roster: Roster, most = mostConnections()) {
    this.#roster = roster;
    const options = { allowHalfOpen: true, noDelay: true, pauseOnConnect: true };
    this.#server = createServer(options, (socket) => this.#accept(socket));
    this.#server.maxConnections = most;
    this.#server.on("drop", () => this.#sayFull(most));
  }

  /** @throws Error if nobody can listen there. */
  listen(port: number, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        this.#server.on("error", console.error);
        this.#checks = setInterval(() => this.#check(), CHECKED_EVERY);
        resolve();
      });
    });
  }

  /** Accepts nothing more, and lets requests end. @param patience How long they may take, in milliseconds. */
  async close(patience: number): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const connection of this.#connections) connection.close(false);
    const timer = setTimeout(() => {
      for (const connection of this.#connections) connection.close(true);
    }, patience);
    await closed;
    clearTimeout(timer);
    clearInterval(this.#checks);
  }

  #accept(socket: Socket): void {
    const connection = new ClientConnection(socket, this.#roster);
    this.#connections.add(connection);
    connection.socket.once("close", () => this.#connections.delete(connection));
  }

  #sayFull(most: number): void {
    const now = performance.now();
    if (now - this.#saidAt < SAID_EVERY) return;
    this.#saidAt = now;
    console.error(
      `New connections are closed: ${most} are open, and no file descriptors are left, ${MORE_DESCRIPTORS}`,
    );
  }

  #check(): void {
    const now = performance.now();
    for (const connection of this.#connections) connection.check(now);
  }
}
