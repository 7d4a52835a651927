/** How much longer than the processor works for it a client waits that is alone. */
import { Agent } from "node:http";
import { median } from "../inference/statistics.ts";
import { call } from "./call.ts";
import { smallPhoto } from "./images.ts";
import type { Loaded } from "./start.ts";

/** Of a request, in milliseconds. */
export interface IdleTimes {
  readonly wall: number;
  /** Of all processes of the labeler, in all their threads. */
  readonly cpu: number;
}

const WARM_UP = 50;
/** A median over blocks is not moved by what else the machine does for a moment. */
const [BLOCKS, REQUESTS_EACH] = [10, 40];

/** Sends one small image after the other. */
export async function measureIdle(labeler: Loaded): Promise<IdleTimes> {
  const agent = new Agent({ keepAlive: true });
  const send = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const { status } = await call(`${labeler.url}/label`, { body: smallPhoto(), from: "127.0.2.1", agent });
      if (status !== "200") throw new Error(`A client that is alone was answered with ${status}`);
    }
  };
  await send(WARM_UP);
  const blocks: IdleTimes[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    const [begin, before] = [performance.now(), labeler.cpuMs];
    await send(REQUESTS_EACH);
    blocks.push({
      wall: (performance.now() - begin) / REQUESTS_EACH,
      cpu: (labeler.cpuMs - before) / REQUESTS_EACH,
    });
  }
  agent.destroy();
  // Of the difference, since that is what is asked for.
  const difference = median(blocks.map(({ wall, cpu }) => wall - cpu));
  const cpu = median(blocks.map(({ cpu }) => cpu));
  return { wall: cpu + difference, cpu };
}
