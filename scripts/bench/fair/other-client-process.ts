/** The process of other-client.ts. Its argument is the labeler's address; it begins and ends when it is told to. */
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, call } from "./call.ts";
import { smallPhoto } from "./images.ts";
import type { Call, Kind } from "./other-client.ts";

const [, , url] = process.argv;
const CLIENT = "127.0.2.1";
const PROBER = "127.0.3.1";
/** From one answer to the next probe, in milliseconds. */
const PAUSE = 20;

const agent = new Agent({ keepAlive: true });
const ask = (path: string) => call(`${url}${path}`, { body: smallPhoto(), from: CLIENT, agent });

let running = false;
const calls: Call[] = [];

const note = (kind: Kind, { status, ms }: Answer) => calls.push({ kind, status, ms });

async function sendImages(): Promise<void> {
  while (running) {
    note("small image", await ask("/label"));
    note("eKuiper's call", await ask("/ekuiper/labelImage"));
  }
}

async function probe(): Promise<void> {
  while (running) {
    note("probe", await call(`${url}/healthz`, { from: PROBER }));
    await sleep(PAUSE);
  }
}

/** The model is loaded and the code is warm when it counts. */
async function warmUp(): Promise<void> {
  for (let i = 0; i < 20; i++) {
    const { status } = await ask(i % 2 === 0 ? "/label" : "/ekuiper/labelImage");
    if (status !== "200") throw new Error(`A small image was answered with ${status} before there was any load`);
  }
}

let loops: Promise<unknown> = Promise.resolve();
process.on("message", async (message) => {
  if (message === "begin") {
    running = true;
    loops = Promise.all([sendImages(), probe()]);
    return;
  }
  running = false;
  await loops;
  process.send?.(calls.splice(0));
});
process.once("disconnect", () => process.exit());
await warmUp();
process.send?.("ready");
