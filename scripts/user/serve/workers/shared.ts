/**
 * What the workers of a labeler share besides the results: how often each caller may call, the memory for forms and JSON,
 * and the sum of the metrics. The workers ask over a unix socket; see worker/http/other-workers.ts.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type CallRate, TokenBuckets } from "../../../../worker/runtime/token-bucket.ts";
import { ask } from "../ask.ts";
import { FormMemory, type Wish } from "./form-memory.ts";
import { MetricsSum } from "./metrics-sum.ts";

/** A process of a worker. */
export interface SharingProcess {
  /** The path of the socket at which it answers the supervisor. */
  readonly internal: string;
}

/** How long a process may take to answer, in milliseconds. */
const TIMEOUT = 1500;

interface Call {
  readonly key: string;
  readonly limit: CallRate;
}

async function readJson<T>(request: IncomingMessage): Promise<T> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

export class Shared {
  readonly #server: Server;
  /** By name. */
  readonly #processes = new Map<string, SharingProcess>();
  readonly #metrics = new MetricsSum<string>();
  readonly #forms = new FormMemory({
    has: (name) => this.#processes.has(name),
    giveBack: (name) => this.#giveBack(name),
  });
  #buckets: { readonly limit: string; readonly of: TokenBuckets } | undefined;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request).then(
        (body) => response.end(body),
        (error) => {
          console.error(error);
          response.writeHead(500).end();
        },
      );
    });
  }

  /** @param path Of the unix socket. */
  listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(path, resolve);
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** A process begins. @param name Of its own. */
  begin(name: string, process: SharingProcess): void {
    this.#processes.set(name, process);
  }

  /** A process has ended. */
  end(name: string): void {
    this.#processes.delete(name);
    this.#metrics.end(name);
    this.#forms.forget(name);
  }

  /** Notes what a process has counted, before it is told to end. */
  async noteMetrics(name: string): Promise<void> {
    const process = this.#processes.get(name);
    const text = process && (await ask({ url: `unix:${process.internal}`, path: "/metrics", timeout: TIMEOUT }));
    // It may have ended meanwhile, and would then be counted twice.
    if (text !== undefined && this.#processes.has(name)) this.#metrics.hear(name, text);
  }

  async #answer(request: IncomingMessage): Promise<string> {
    switch (request.url) {
      case "/calls":
        return JSON.stringify(this.#countCall(await readJson<Call>(request)));
      case "/form-memory":
        return JSON.stringify(await this.#forms.grant(await readJson<Wish>(request)));
      case "/metrics":
        await Promise.all([...this.#processes.keys()].map((name) => this.noteMetrics(name)));
        return this.#metrics.render();
      default:
        throw new Error(`A worker asked for ${request.url}, which there is not.`);
    }
  }

  #countCall({ key, limit }: Call): number {
    const text = JSON.stringify(limit);
    if (this.#buckets?.limit !== text) this.#buckets = { limit: text, of: new TokenBuckets(limit) };
    return this.#buckets.of.take(key, Date.now());
  }

  async #giveBack(name: string): Promise<number | undefined> {
    const process = this.#processes.get(name);
    if (process === undefined) return 0;
    const text = await ask({ url: `unix:${process.internal}`, path: "/form-memory", method: "POST", timeout: TIMEOUT });
    return text === undefined ? undefined : Number(text);
  }
}
