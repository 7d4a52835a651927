/** Finds free TCP ports of this machine. */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Below the range from which systems choose ports for outgoing connections: such a connection could take a port before
 * a server listens on it.
 */
const [FIRST, LAST] = [20_000, 32_000];

/** A server on a free port. */
async function holdPort(): Promise<{ port: number; release(): Promise<unknown> }> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(FIRST, LAST);
    const server = createServer();
    const listens = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (listens) return { port, release: () => new Promise((resolve) => server.close(resolve)) };
  }
  throw new Error(`No free TCP port was found between ${FIRST} and ${LAST}`);
}

/** `count` free ports on loopback, all held until the last is found, so that they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const held = await Promise.all(Array.from({ length: count }, holdPort));
  await Promise.all(held.map(({ release }) => release()));
  return held.map(({ port }) => port);
}

/** @returns Why nobody can listen there; undefined if one can. */
export function whyNotListen(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ code, message }: NodeJS.ErrnoException) => {
      const isUnknown = code === "ENOTFOUND";
      resolve(isUnknown ? `${host} is neither an address, such as 127.0.0.1 or ::1, nor the name of a host` : message);
    });
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
