/** TCP ports of this machine. */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below those that systems give to outgoing connections, which could else take one before it is listened at. */
const [FIRST, LAST] = [20_000, 32_000];

/** A server at a free port. */
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

/** @returns Why no one can listen there, undefined if it can be. */
export function whyNotListen(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ message }) => resolve(message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
