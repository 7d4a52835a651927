/**
 * The thread of probes.ts: a client that sends uploads keeps its own event loop busy, which must not delay the probes.
 * It sends its observations when it is told to end. It is JavaScript, since Node 20 does not load TypeScript.
 */
import { Agent, get } from "node:http";
import { parentPort, workerData } from "node:worker_threads";

/** @type {{ url: string, done: Int32Array, pause: number }} */
const { url, done, pause } = workerData;
const agent = new Agent({ keepAlive: true });
let running = true;

/** @returns {Promise<void>} When /healthz has answered with a 200. */
const ask = () =>
  new Promise((resolve, reject) => {
    const call = get(`${url}/healthz`, { agent }, (response) => {
      response.resume();
      response.once("end", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`/healthz answered with status ${response.statusCode}`));
      });
    });
    call.once("error", reject);
  });

parentPort?.once("message", () => {
  running = false;
});
const probes = [];
await ask(); // The connection exists already when the measurement begins.
parentPort?.postMessage("ready");
while (running) {
  const [begin, before] = [performance.now(), Atomics.load(done, 0)];
  await ask();
  probes.push({ ms: performance.now() - begin, done: Atomics.load(done, 0) - before });
  await new Promise((resolve) => setTimeout(resolve, pause));
}
agent.destroy();
parentPort?.postMessage(probes);
