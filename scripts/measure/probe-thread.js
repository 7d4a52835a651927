/**
 * The thread of probes.ts: a client that sends uploads is busy itself, and its event loop must not delay the probes. Sends
 * what it saw when it is told to end. JavaScript, since Node 20 loads a thread without tsx.
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
await ask(); // the connection is there when it counts
parentPort?.postMessage("ready");
while (running) {
  const [begin, before] = [performance.now(), Atomics.load(done, 0)];
  await ask();
  probes.push({ ms: performance.now() - begin, done: Atomics.load(done, 0) - before });
  await new Promise((resolve) => setTimeout(resolve, pause));
}
agent.destroy();
parentPort?.postMessage(probes);
