/** Clients that label one image after the other, for npm run bench:workers. */
import { Agent, request } from "node:http";
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

/** @returns Whether the image was labelled; false if the labeler was busy. @throws Error for any other answer. */
function send(url: string, bytes: Uint8Array<ArrayBuffer>, agent: Agent): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const parts = unseenParts(bytes);
    const headers = { "content-length": parts.reduce((sum, { length }) => sum + length, 0) };
    const call = request(url, { method: "POST", agent, headers }, (response) => {
      let text = "";
      response.on("data", (data) => (text += data));
      response.once("error", reject);
      response.once("end", () => {
        if (response.statusCode === 200 || response.statusCode === 503) resolve(response.statusCode === 200);
        else reject(new Error(`${response.statusCode} ${text}`));
      });
    });
    call.once("error", reject);
    for (const part of parts) call.write(part);
    call.end();
  });
}

/** @returns How many images a second are labelled. */
export async function imagesPerSecond(
  url: string,
  bytes: Uint8Array<ArrayBuffer>,
  { count, keepAlive }: Clients,
  milliseconds: number,
): Promise<number> {
  const agent = new Agent({ keepAlive, maxSockets: count });
  const begin = performance.now();
  let labelled = 0;
  const client = async () => {
    while (performance.now() - begin < milliseconds) {
      if (await send(url, bytes, agent)) labelled++;
      else await sleep(AGAIN);
    }
  };
  await Promise.all(Array.from({ length: count }, client));
  const seconds = (performance.now() - begin) / 1000;
  agent.destroy();
  return labelled / seconds;
}
