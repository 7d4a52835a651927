/** What becomes of images that are unusual or broken, and of images after the plugin was killed. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Contender, Gateway, LABELS, type Parts } from "./gateway.ts";

export interface Trouble {
  readonly contender: Contender;
  readonly input: string;
  /** `silent`: neither a row nor an error of the rule tells that there was an image. */
  readonly outcome: "labelled" | "wrong label" | "row with error" | "lost, counted" | "silent";
  /** The label, or the error. */
  readonly detail: string;
  readonly ms: number;
  /** The most memory that one process on the gateway has had by then, in MB. */
  readonly peak: number;
}

const PHOTOGRAPH = "test/fixtures/chelsea.png";
/** Chelsea is an Egyptian cat; to the model, also a tabby or a tiger cat. */
const CAT = /^28[2-6]:/;
const SECONDS = 12;

export async function trouble(contenders: readonly Contender[], parts: Parts): Promise<Trouble[]> {
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-inputs-"));
  try {
    execFileSync(parts.pyai.python, ["scripts/bench/ekuiper/inputs.py", PHOTOGRAPH, folder]);
    const file = (name: string) => readFileSync(join(folder, name));
    const jpeg = file("rgb.jpg");
    const inputs: [name: string, bytes: Uint8Array, readable: boolean][] = [
      ["grey PNG", file("grey.png"), true],
      ["palette PNG", file("palette.png"), true],
      ["RGBA PNG", file("rgba.png"), true],
      ["CMYK JPEG", file("cmyk.jpg"), true],
      ["JPEG cut after 60 %", jpeg.subarray(0, jpeg.length * 0.6), true],
      ["JPEG cut after 2 %", jpeg.subarray(0, jpeg.length * 0.02), false],
      ["text", Buffer.from("no image at all"), false],
      ["12000 × 12000 PNG", file("12000x12000.png"), true],
    ];
    const found: Trouble[] = [];
    for (const contender of contenders) {
      const gateway = await Gateway.start(contender, parts);
      try {
        await gateway.mailbox.publish("tfdemo", file("good.png"));
        await gateway.mailbox.next(LABELS, 30);
        for (const [name, bytes] of inputs) found.push(await tryOne(gateway, name, bytes));
        if (contender !== "service") found.push(await afterKill(gateway, file("good.png")));
      } finally {
        await gateway.stop();
      }
    }
    return found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function tryOne(gateway: Gateway, input: string, bytes: Uint8Array): Promise<Trouble> {
  const before = await gateway.exceptions();
  const start = performance.now();
  await gateway.mailbox.publish("tfdemo", bytes);
  // A row, or a failure of the rule: whichever comes.
  let row: string | undefined;
  let failed = false;
  while (row === undefined && !failed && performance.now() - start < SECONDS * 1000) {
    if (gateway.mailbox.waiting(LABELS) > 0) row = await gateway.mailbox.next(LABELS);
    else failed = (await gateway.exceptions()).count > before.count;
    await sleep(2);
  }
  const ms = performance.now() - start;
  const { last } = await gateway.exceptions();
  const common = { contender: gateway.contender, input, ms, peak: gateway.peak() };
  if (row === undefined) return { ...common, outcome: failed ? "lost, counted" : "silent", detail: failed ? last : "" };
  const { label, error }: { label?: string; error?: string } = JSON.parse(row);
  if (!label) return { ...common, outcome: "row with error", detail: error ?? "empty label" };
  return { ...common, outcome: CAT.test(label) ? "labelled" : "wrong label", detail: label };
}

/** Kills the process that eKuiper has started as its plugin, then sends an image. */
async function afterKill(gateway: Gateway, good: Uint8Array): Promise<Trouble> {
  const [, plugin] = gateway.processes();
  if (plugin === undefined) throw new Error(`${gateway.contender} has no process`);
  process.kill(plugin, "SIGKILL");
  await sleep(500);
  return tryOne(gateway, "good PNG, plugin killed", good);
}
