/** Asks a process of the labeler. Node's fetch() would take 28 MB of memory for its parser, for as long as this process runs. */
import { request } from "node:http";

export interface Question {
  /** The address of the process, without a slash at the end; `unix:PATH` for a unix socket. */
  readonly url: string;
  readonly path: string;
  readonly method?: "GET" | "POST";
  /** In milliseconds. */
  readonly timeout: number;
}

const UNIX = "unix:";

/**
 * Asks on a new connection: one that is kept open might still be served when nobody else can connect.
 *
 * @returns The body of the answer; undefined if there was none in time, or its status is not 200.
 */
export function ask({ url, path, method = "GET", timeout }: Question): Promise<string | undefined> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(Math.round(timeout));
    const unix = url.startsWith(UNIX);
    const address = new URL(path, unix ? "http://localhost" : url);
    const socket = unix ? { socketPath: url.slice(UNIX.length) } : {};
    const call = request(address, { method, agent: false, signal, ...socket }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (data) => (text += data));
      response.once("error", () => resolve(undefined));
      response.once("close", () => resolve(response.complete && response.statusCode === 200 ? text : undefined));
    });
    call.once("error", () => resolve(undefined));
    call.end();
  });
}
