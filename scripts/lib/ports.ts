/** TCP ports of this machine. */
import { createServer } from "node:net";

/** `count` free ports on loopback, all held until the last is found, so that they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(0, "127.0.0.1", resolve);
      });
      return server;
    }),
  );
  return Promise.all(
    servers.map(async (server) => {
      const address = server.address();
      await new Promise((resolve) => server.close(resolve));
      if (address === null || typeof address === "string") throw new Error("A TCP server has no port");
      return address.port;
    }),
  );
}

/** @returns Why no one can listen there, undefined if it can be. */
export function whyNotListen(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ message }) => resolve(message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
