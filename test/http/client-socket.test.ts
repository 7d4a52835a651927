/** Connections of clients, read into reused buffers, and as usual where Node does not let a socket be taken over. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ClientSocket } from "../../scripts/user/serve/workers/client-socket.ts";

let server: Server;
beforeEach(async () => {
  server = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => server.close());

/** A connection to the server, and the socket that the server has accepted for it. */
async function connected(): Promise<{ client: Socket; accepted: Socket }> {
  const { port } = server.address() as { port: number };
  const [[accepted], client] = await Promise.all([once(server, "connection"), connect({ port, host: "127.0.0.1" })]);
  return { client, accepted };
}

/** As if the connections of this Node could not be read into given buffers. */
const withoutBuffers = (accepted: Socket): Socket => {
  const { _handle: handle } = accepted as unknown as { _handle: object };
  Object.defineProperty(handle, "useUserBuffer", { value: undefined });
  return accepted;
};

const sent = randomBytes(1_500_000);

describe.each([
  { node: "reads into given buffers", change: (accepted: Socket) => accepted, reused: true },
  { node: "does not", change: withoutBuffers, reused: false },
])("where Node $node", ({ change, reused }) => {
  it.each(["shared", "own"])(
    "takes all bytes, in a buffer that is %s, answers and closes",
    async (kind) => {
      const { client, accepted } = await connected();
      const got: Buffer[] = [];
      const memories = new Set<ArrayBufferLike>();
      const connection = new ClientSocket(change(accepted), (bytes) => {
        got.push(Buffer.from(bytes));
        memories.add(bytes.buffer);
      });
      if (kind === "own") connection.ownBuffer();
      expect(connection.socket === accepted).toBe(!reused);
      connection.socket.once("end", () => connection.socket.end("thanks"));
      client.end(sent);
      let answer = "";
      for await (const data of client) answer += data;
      expect(answer).toBe("thanks");
      expect(Buffer.concat(got).equals(sent)).toBe(true);
      expect(got.length).toBeGreaterThan(4);
      expect(memories.size <= 2).toBe(reused);
      if (!connection.socket.closed) await once(connection.socket, "close");
      const open = await new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
      expect(open).toBe(0);
    },
    10_000,
  );
});
