/**
 * `npm run demo [-- IMAGE]`: sends one image by MQTT through the real eKuiper to the labeler, and prints the label that
 * comes back.
 */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { CommandError, fromUser, runCommand } from "../command-line/command.ts";
import { type BuildState, GoMissing } from "../ekuiper-engine/build.ts";
import { startEngine } from "../ekuiper-engine/engine.ts";
import { startLoadedLabeler } from "../ekuiper-engine/labeler.ts";
import { EkuiperApi } from "./ekuiper/api.ts";
import { Mailbox, startBroker } from "./ekuiper/broker.ts";
import { install } from "./ekuiper/install.ts";

const coffee = "test/fixtures/coffee.png";
const root = resolve(import.meta.dirname, "../..");
const usage = `npm run demo -- [IMAGE]

Publishes IMAGE (${coffee} by default) by MQTT, lets LF Edge eKuiper label it with this
labeler, and prints the label. Everything runs on free ports of this machine and is stopped at the end.`;

const withoutGo = `The labeler itself needs no Go. Start it, and send it an image as eKuiper does:
  npm start
  curl --data-binary @${coffee} http://127.0.0.1:8787/label
  curl --data-binary @${coffee} http://127.0.0.1:8787/ekuiper/labelImage
With an eKuiper of your own, ekuiper/README.md says how the function, the stream and the rule get there.`;

const labelSeconds = 6; // eKuiper itself gives up a call after 5 s.
const cleanUp: (() => Promise<void>)[] = [];
const interrupt = new AbortController();

async function demo(path: string, image: Uint8Array): Promise<void> {
  console.log(`${path} by MQTT through LF Edge eKuiper to Edge Labeler\n`);

  // Built first, since it needs Go and takes a minute the first time.
  const broker = await startBroker();
  cleanUp.push(broker.stop);
  const engine = await startEngine({ broker: broker.url, progress: showBuild, signal: interrupt.signal });
  cleanUp.push(engine.stop);
  if (nextShown > 0 && process.stderr.isTTY) process.stderr.write("\n");
  step("broker", broker.url);
  step("eKuiper", engine.url);

  const token = randomBytes(12).toString("hex");
  const labeler = await startLoadedLabeler(token);
  cleanUp.push(labeler.stop);
  step("labeler", `${labeler.url}, its model is loaded`);

  const api = new EkuiperApi(engine.url);
  const listening = async (change: () => Promise<unknown>) => {
    const subscribed = broker.nextSubscriber("tfdemo");
    await change();
    await subscribed;
  };
  const options = { api, labeler: labeler.url, token, broker: broker.url };
  await listening(async () => {
    const { steps, checks, done } = await install(options, { dryRun: false, force: false });
    const failed = checks.filter(({ state }) => state !== "ok").map(({ name, detail }) => `${name}: ${detail}`);
    if (!done) throw new CommandError(`Not installed.\n${failed.join("\n")}`, 1);
    for (const { why } of steps) step("installed", why);
  });

  const mailbox = await Mailbox.open(broker.url, ["ekuiper/labels"]);
  cleanUp.push(() => mailbox.close());
  const published = performance.now();
  await mailbox.publish("tfdemo", image);
  step("published", `${image.length} bytes on tfdemo`);
  const message = await mailbox.next("ekuiper/labels", labelSeconds).catch(() => {
    throw new CommandError(`No label within ${labelSeconds} s. eKuiper's log ends:\n${engine.log().slice(-2000)}`, 1);
  });
  step("received", `${message} on ekuiper/labels after ${Math.round(performance.now() - published)} ms`);
  const { label }: { label?: string } = JSON.parse(message);
  if (!label) throw new CommandError(`The image has no label. ${await reasonOf(labeler.url, token, image)}`, 1);
  console.log(`\n${label}`);
}

/** The labeler's own reason for giving the image no label. */
async function reasonOf(labeler: string, token: string, image: Uint8Array): Promise<string> {
  const response = await fetch(`${labeler}/ekuiper/labelImage`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: new Uint8Array(image),
  });
  const { error = "", detail = "" }: { error?: string; detail?: string } = await response.json();
  return error || detail;
}

/** Seconds since this program was started. */
const seconds = () => (performance.now() / 1000).toFixed(1);

function step(what: string, detail: string): void {
  console.log(`${seconds().padStart(5)} s  ${what.padEnd(10)}${detail}`);
}

/** Shows progress: a terminal gets one line that counts, a log gets a line every 10 s. */
let nextShown = 0;
function showBuild({ seconds: elapsed, phase, modules, packages, total }: BuildState): void {
  const tty = process.stderr.isTTY;
  if (nextShown === 0) {
    console.log(
      "eKuiper's engine is built first, this once: 230 MB to fetch, then about 3 minutes of processor time,\n" +
        "which two idle processors do in half of that. Go keeps 1.4 GB of it for the next build.\n",
    );
  }
  if (!tty && elapsed < nextShown) return;
  nextShown = elapsed + 10;
  const what =
    phase === "fetching"
      ? `fetching the source of eKuiper's engine${modules > 0 ? `, ${modules} modules so far` : ""}`
      : `compiled ${packages} of ${total} packages of eKuiper's engine`;
  const line = `${seconds().padStart(5)} s  ${what}`;
  // Progress lines overwrite each other, and a later one may be shorter.
  process.stderr.write(tty ? `\r${line}\x1b[K` : `${line}\n`);
}

async function readImage(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new CommandError(`Cannot read the image: ${cause}. Give the path of one: npm run demo -- IMAGE`);
  }
}

/** Stops what was started, in reverse order. If one does not stop, the others are stopped all the same. */
async function stopAll(): Promise<void> {
  for (const stop of cleanUp.splice(0).reverse()) {
    await stop().catch((error) => console.error(`While stopping: ${error}`));
  }
}

async function main([given]: readonly string[]): Promise<number> {
  const image = await readImage(given === undefined ? resolve(root, coffee) : fromUser(given));
  process.chdir(root);
  const interrupted = new Promise<never>((_, reject) => {
    const stop = () => reject(new CommandError("Interrupted; everything is stopped.", 1));
    interrupt.signal.addEventListener("abort", stop);
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupt.abort());
  try {
    await Promise.race([demo(given ?? coffee, image), interrupted]);
  } catch (error) {
    throw error instanceof GoMissing ? new CommandError(`${error.message}\n\n${withoutGo}`, 1) : error;
  } finally {
    await stopAll();
  }
  console.log(`\nDone, and all of it stopped, after ${seconds()} s.`);
  return 0;
}

await runCommand({ usage, operands: 1 }, (_, operands) => main(operands));
