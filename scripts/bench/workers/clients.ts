/**
 * Clients that label one image after the other, for npm run bench:workers. They write to sockets and read no more of an answer
 * than its status and length, since they take their time from the same processors as the labeler.
 */
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { unseenParts } from "../load/unseen.ts";

/** How long a client waits if the labeler was busy, in milliseconds. */
const AGAIN = 250;

/** How clients connect. */
export interface Clients {
  readonly count: number;
  /** Whether a client keeps its connection, or opens one for each request. */
  readonly keepAlive: boolean;
}

/** What clients have seen together. */
export interface Labelled {
  readonly images: number;
  readonly perSecond: number;
  /** The processor time of this process for an image, in milliseconds. */
  readonly clientMs: number;
}

/** Reads an answer whose length is in its head. @returns Its status. */
function readStatus(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = "";
    const end = () => {
      socket.off("data", take);
      socket.off("error", reject);
      socket.off("close", broken);
    };
    const broken = () => {
      end();
      reject(new Error(`The connection was closed behind ${text.length} bytes of an answer.`));
    };
    const take = (data: Buffer) => {
      text += data.toString("latin1");
      const head = text.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head))?.[1]);
      if (text.length < head + 4 + length) return;
      end();
      if (Number.isNaN(length)) reject(new Error(`An answer has no length:\n${text.slice(0, head)}`));
      else resolve(Number(text.slice(9, 12)));
    };
    socket.on("data", take);
    socket.once("error", reject);
    socket.once("close", broken);
  });
}

class Client {
  readonly #url: URL;
  readonly #keepAlive: boolean;
  #socket: Socket | undefined;

  constructor(url: string, keepAlive: boolean) {
    this.#url = new URL(url);
    this.#keepAlive = keepAlive;
  }

  /** @returns Whether the image was labelled; false if the labeler was busy. @throws Error for any other answer. */
  async send(image: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const { hostname, port, pathname, search, host } = this.#url;
    this.#socket ??= connect({ host: hostname, port: Number(port), noDelay: true });
    const socket = this.#socket;
    const parts = unseenParts(image);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const lines = [`POST ${pathname}${search} HTTP/1.1`, `Host: ${host}`, `Content-Length: ${length}`];
    if (!this.#keepAlive) lines.push("Connection: close");
    socket.cork();
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    for (const part of parts) socket.write(part);
    socket.uncork();
    const status = await readStatus(socket);
    if (!this.#keepAlive) this.close();
    if (status !== 200 && status !== 503) throw new Error(`The labeler has answered with ${status}.`);
    return status === 200;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}

/** Has clients label an image again and again for a while. */
export async function labelFor(
  url: string,
  image: Uint8Array<ArrayBuffer>,
  { count, keepAlive }: Clients,
  milliseconds: number,
): Promise<Labelled> {
  const [begin, before] = [performance.now(), process.cpuUsage()];
  let images = 0;
  const run = async () => {
    const client = new Client(url, keepAlive);
    try {
      while (performance.now() - begin < milliseconds) {
        if (await client.send(image)) images++;
        else await sleep(AGAIN);
      }
    } finally {
      client.close();
    }
  };
  await Promise.all(Array.from({ length: count }, run));
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - begin) / 1000;
  return { images, perSecond: images / seconds, clientMs: (user + system) / 1000 / Math.max(1, images) };
}
