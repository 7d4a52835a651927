/** `npm run ekuiper -- COMMAND`: installs the labeler's loops on a gateway, inspects them, and removes them. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import {
  CommandError,
  countIn,
  fromUser,
  runCommand,
  UsageError,
  type Values as ValuesOf,
} from "../command-line/command.ts";
import { EkuiperApi } from "./ekuiper/api.ts";
import type { Failure } from "./ekuiper/carry-out.ts";
import { failed } from "./ekuiper/check-all.ts";
import type { Check } from "./ekuiper/checks.ts";
import { duration, feed, imageFiles, watch } from "./ekuiper/feed.ts";
import { install, uninstall } from "./ekuiper/install.ts";
import { installJson, messageJson, statusJson, testJson, uninstallJson } from "./ekuiper/json.ts";
import { parseMqtt } from "./ekuiper/mqtt-options.ts";
import { LOOPS, type Loop, TOPICS } from "./ekuiper/parts.ts";
import type { Step } from "./ekuiper/plan.ts";
import { printable } from "./ekuiper/printable.ts";
import { parseFunctions } from "./ekuiper/sql-function.ts";
import { status } from "./ekuiper/status.ts";
import { tryOnce } from "./ekuiper/try-once.ts";
import type { GatewayOptions } from "./ekuiper/wanted.ts";
import { readSecret } from "./read-secret.ts";

const usage = `npm run ekuiper -- COMMAND [options]

  install    installs or updates the functions, streams and rules of a loop on the gateway; a second run changes
             nothing. Options that are not given stay as they are installed
  status     checks gateway, labeler and broker, and prints what is installed and the counters of its rules
  test       sends one image through the loop and prints its label and the time of each hop
  uninstall  removes what install has installed
  feed FILE|FOLDER …   publishes images by MQTT
  watch      prints the labels that come back

  --gateway URL   eKuiper's REST API (http://127.0.0.1:9081)
  --labeler URL   the labeler's address from the gateway (http://127.0.0.1:8787)
  --token T       its token; better in the environment, as LABELER_TOKEN: all users see a command line;
                  --token "" removes the installed one
  --loop L        function: a rule calls the labeler and waits for the label (the default)
                  sink: a rule submits the image, and the labeler stores the label
                  pull, push: the same, and eKuiper fetches the labels, or the labeler posts them to it
  --broker URL    its address from the gateway (tcp://127.0.0.1:1883), with tcp://USER:PASSWORD@… if it requires them
  --broker-ca FILE   the authority of the broker's certificate, in PEM; the gateway keeps a copy
  --client-id NAME   the id of the stream's MQTT client; sinks append their rule's id to it
  --qos N            0, 1 or 2, for stream and sinks
  --session on|off   the broker keeps images while eKuiper is away; needs --client-id
  --mqtt-version V   3.1.1 or 5
  --device NAME   the name of this gateway in the results (gateway)
  --function NAME=MODEL?PARAMETERS
                  an SQL function with this model and parameters, such as door=efficientnet_lite0?crop=center&min=0.4;
                  may be given several times. If absent, the installed ones stay; none removes them
  --dry-run       prints the calls that install or uninstall would make
  --force         installs in spite of failed checks
  --image FILE    for test: the image, instead of a cup of coffee
  --topic T       the topic of the images (${TOPICS.images}); for watch, ${TOPICS.labels} and ${TOPICS.errors}
  --every D       for feed: the time between two images (1s)
  --loop-forever  for feed: starts again after the last image
  --count N       for watch: the number of messages after which it ends
  --json          output for programs, described in docs/reference/commands.md

Exits with 0 if all is well, 1 if something is not, 2 if nothing could be done.`;

const options = {
  gateway: { type: "string", default: "http://127.0.0.1:9081" },
  labeler: { type: "string" },
  token: { type: "string" },
  loop: { type: "string" },
  broker: { type: "string" },
  device: { type: "string" },
  function: { type: "string", multiple: true },
  "broker-ca": { type: "string" },
  "client-id": { type: "string" },
  qos: { type: "string" },
  session: { type: "string" },
  "mqtt-version": { type: "string" },
  "dry-run": { type: "boolean", default: false },
  force: { type: "boolean", default: false },
  image: { type: "string" },
  topic: { type: "string" },
  every: { type: "string", default: "1s" },
  "loop-forever": { type: "boolean", default: false },
  count: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

type Values = ValuesOf<typeof options>;

const root = resolve(import.meta.dirname, "../..");
const interrupt = new AbortController();

function address(option: string, text: string, protocols: RegExp): string {
  const url = URL.parse(text);
  if (url === null || !protocols.test(url.protocol)) {
    throw new UsageError(
      `--${option} ${text} is not an address such as ${option === "broker" ? "tcp://HOST:1883" : "http://HOST:PORT"}.`,
    );
  }
  return text.replace(/\/+$/, "");
}

function loopIn({ loop }: Values): Loop | undefined {
  if (loop === undefined) return undefined;
  const found = LOOPS.find((name) => name === loop);
  if (found === undefined) throw new UsageError(`--loop ${loop}: there are ${LOOPS.join(", ")}.`);
  return found;
}

/** @throws CommandError */
function readText(path: string): string {
  try {
    return readFileSync(fromUser(path), "utf8");
  } catch (error) {
    throw new CommandError(`Cannot read ${path}: ${error instanceof Error ? error.message : error}`);
  }
}

function gatewayOptions(values: Values): GatewayOptions {
  const token = values.token ?? readSecret("LABELER_TOKEN");
  const { device } = values;
  if (device !== undefined && !/^[\w.:-]{1,128}$/.test(device)) {
    throw new UsageError(`--device ${device}: letters, digits, dots, colons, dashes and underscores only.`);
  }
  return {
    api: new EkuiperApi(address("gateway", values.gateway, /^https?:$/)),
    labeler: values.labeler && address("labeler", values.labeler, /^https?:$/),
    token,
    loop: loopIn(values),
    broker: values.broker && address("broker", values.broker, /^(tcp|mqtt|ssl|tls|mqtts|ws|wss):$/),
    topic: values.topic,
    device,
    functions: parseFunctions(values.function),
    mqtt: parseMqtt(values, values["broker-ca"] && readText(values["broker-ca"])),
  };
}

const SIGNS = { ok: "ok", warning: "WARN", error: "FAIL" } as const;

function printChecks(checks: readonly Check[]): void {
  const width = Math.max(...checks.map(({ name }) => name.length)) + 2;
  for (const { name, state, detail, fix } of checks) {
    console.log(`${SIGNS[state].padEnd(6)}${name.padEnd(width)}${detail}`);
    if (fix !== undefined && state !== "ok") console.log(`${" ".repeat(6 + width)}→ ${fix}`);
  }
}

function printSteps(gateway: string, steps: readonly Step[]): void {
  for (const { why, call, body } of steps.map(printable)) {
    const [method, path] = call.split(" ");
    console.log(`${method} ${gateway}${path}   # ${why}${body === undefined ? "" : `\n    ${body}`}`);
  }
}

function printFailure({ step, reason, undone, left }: Failure): void {
  console.log(`FAIL  ${step.why}\n      ${reason}`);
  for (const { why } of undone) console.log(`      taken back: ${why}`);
  for (const { why } of left) console.log(`      still there: ${why}`);
  if (left.length === 0) console.log("\nThe gateway is as it was before.");
  else console.log("\nnpm run ekuiper -- uninstall takes away what is still there.");
}

async function runInstall(values: Values): Promise<number> {
  const wanted = gatewayOptions(values);
  const dryRun = values["dry-run"];
  const installed = await install(wanted, { dryRun, force: values.force });
  const { checks, steps, done, kept, failure } = installed;
  if (values.json) {
    console.log(installJson(installed));
    return done || (dryRun && !failed(checks)) ? 0 : 1;
  }
  printChecks(checks);
  if (kept.length > 0) console.log(`\nAs installed before: ${kept.join(", ")}.`);
  console.log();
  if (dryRun) {
    printSteps(wanted.api.base, steps);
    console.log(steps.length === 0 ? "Nothing would be changed." : `\n${steps.length} calls would be made.`);
    return failed(checks) ? 1 : 0;
  }
  if (failure !== undefined) {
    printFailure(failure);
    return 1;
  }
  if (!done) {
    console.log("Nothing was changed. Fix what failed, or install nonetheless: --force");
    return 1;
  }
  for (const { why } of steps) console.log(`      ${why}`);
  if (steps.length === 0) console.log("All of it is there already; nothing was changed.");
  else console.log("\nInstalled. Try it: npm run ekuiper -- test, with the same options.");
  return failed(checks) ? 1 : 0;
}

async function runUninstall(values: Values): Promise<number> {
  const wanted = gatewayOptions(values);
  const steps = await uninstall(wanted.api, values["dry-run"]);
  if (values.json) console.log(uninstallJson(steps));
  else if (steps.length === 0) console.log("There is nothing of the labeler's on this gateway.");
  else if (values["dry-run"]) printSteps(wanted.api.base, steps);
  else for (const { why } of steps) console.log(why);
  return 0;
}

async function runStatus(values: Values): Promise<number> {
  const seen = await status(gatewayOptions(values));
  const { checks, installed, pending } = seen;
  if (values.json) {
    console.log(statusJson(seen));
    return failed(checks) ? 1 : 0;
  }
  printChecks(checks);
  console.log(`\nInstalled: ${installed.length === 0 ? "nothing" : installed.join(", ")}`);
  if (pending.length > 0) {
    console.log("\nWith these options install would make these calls:");
    printSteps(values.gateway, pending);
  }
  return failed(checks) ? 1 : 0;
}

async function runTest(values: Values): Promise<number> {
  const path = values.image === undefined ? resolve(root, "test/fixtures/coffee.png") : fromUser(values.image);
  const image = await readFile(path).catch((error: Error) => {
    throw new CommandError(`Cannot read the image: ${error.message}`);
  });
  const tried = await tryOnce(gatewayOptions(values), image);
  if (values.json) {
    console.log(testJson(tried));
    return failed(tried.checks) ? 1 : 0;
  }
  for (const { what, ms } of tried.hops) console.log(`${ms.toFixed(0).padStart(6)} ms  ${what}`);
  console.log(`\n${tried.label}`);
  printChecks(tried.checks);
  return failed(tried.checks) ? 1 : 0;
}

async function runFeed(values: Values, paths: readonly string[]): Promise<number> {
  if (paths.length === 0) throw new UsageError("feed needs files or folders, such as photos/.");
  const { broker = "tcp://127.0.0.1:1883" } = gatewayOptions(values);
  const files = await imageFiles(paths.map(fromUser));
  const count = await feed(files, {
    broker,
    topic: values.topic ?? TOPICS.images,
    every: duration(values.every),
    forever: values["loop-forever"],
    signal: interrupt.signal,
    log: console.log,
  });
  console.log(`${count} images published on ${values.topic ?? TOPICS.images}.`);
  return 0;
}

async function runWatch(values: Values): Promise<number> {
  const { broker = "tcp://127.0.0.1:1883" } = gatewayOptions(values);
  const count = values.count === undefined ? Number.POSITIVE_INFINITY : countIn("count", values.count);
  const topics = values.topic === undefined ? [TOPICS.labels, TOPICS.errors] : [values.topic];
  const take = (topic: string, message: string) => {
    if (values.json) console.log(messageJson(topic, message));
    else console.log(`${new Date().toISOString()}  ${topic}  ${message}`);
  };
  await watch({ broker, topics, count, signal: interrupt.signal, take });
  return 0;
}

const COMMANDS = new Map([
  ["install", runInstall],
  ["status", runStatus],
  ["test", runTest],
  ["uninstall", runUninstall],
  ["feed", runFeed],
  ["watch", runWatch],
]);

async function main(values: Values, [command = "", ...paths]: readonly string[]): Promise<number> {
  const run = COMMANDS.get(command);
  if (run === undefined) {
    const wrong = command === "" ? "Name a command." : `There is no command ${command}.`;
    throw new UsageError(`${wrong} There are ${[...COMMANDS.keys()].join(", ")}.`);
  }
  if (run !== runFeed && paths.length > 0)
    throw new UsageError(`${command} does not take an operand such as ${paths[0]}.`);
  return run(values, paths);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupt.abort());
await runCommand({ usage, options, operands: Number.POSITIVE_INFINITY }, main);
