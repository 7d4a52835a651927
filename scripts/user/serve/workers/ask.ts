/** Asks a process over its unix socket. */
import { request } from "node:http";

export interface Question {
  /** The path of the socket. */
  readonly socket: string;
  readonly path: string;
  readonly method?: "GET" | "POST";
  /** In milliseconds. */
  readonly timeout: number;
}

/** @returns The body of the answer; undefined if there was none in time, or its status is not 200. */
export function ask({ socket, path, method = "GET", timeout }: Question): Promise<string | undefined> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeout);
    const call = request({ socketPath: socket, path, method, agent: false, signal }, (response) => {
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
