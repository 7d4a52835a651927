/**
 * The commands of docs/tutorials/label-in-an-ekuiper-rule.md on a gateway, unchanged except for the gateway's
 * addresses.
 */
import { execFile, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Gateway, lacks, skip, startGateway, token } from "./gateway.ts";

describe.skipIf(skip || lacks("curl"))("the tutorial", () => {
  let gateway: Gateway;
  /** The commands of each step, by its number. */
  const steps = new Map<number, string[]>();

  beforeAll(async () => {
    gateway = await startGateway();
    const page = await readFile("docs/tutorials/label-in-an-ekuiper-rule.md", "utf8");
    for (const [, number, text = ""] of page.matchAll(/^## (\d)\. ([\s\S]*?)(?=^## )/gm)) {
      const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = ""]) => block.trim());
      // A command goes on in the next line within quotes.
      const commands = blocks.flatMap((block) => block.split(/\n(?=npm |curl |read )/));
      steps.set(Number(number), commands.map(here));
    }
  });

  afterAll(() => gateway?.stop());

  function here(command: string): string {
    return command
      .replaceAll("http://GATEWAY:9081", gateway.api.base)
      .replaceAll("http://LABELER:8787", gateway.labeler.url)
      .replaceAll("tcp://BROKER:1883", gateway.broker.url);
  }

  const environment = { ...process.env, LABELER_TOKEN: token };
  const run = async (command = "") => (await promisify(execFile)("sh", ["-ec", command], { env: environment })).stdout;

  /** Runs a command that goes on, until it has printed so many lines that match. */
  async function watch(
    command = "",
    topic: string,
    count: number,
    meanwhile: () => Promise<unknown>,
  ): Promise<string[]> {
    // In a group of its own, since npm does not end with its shell.
    const stdio = ["ignore", "pipe", "inherit"] as const;
    const child = spawn("sh", ["-c", command], { env: environment, detached: true, stdio: [...stdio] });
    const ended = new Promise((resolve) => child.once("close", resolve));
    const lines: string[] = [];
    createInterface(child.stdout).on("line", (line) => {
      if (line.includes(`  ${topic}  `)) lines.push(line);
    });
    try {
      await expect.poll(() => gateway.broker.subscribers(topic)).toBe(1);
      await meanwhile();
      await expect.poll(() => lines.length).toBeGreaterThanOrEqual(count);
    } finally {
      process.kill(-(child.pid ?? 0));
      await ended;
    }
    return lines;
  }

  test("installs, tests, feeds and watches, and has the first label of a rule of one's own", async () => {
    const [install, ...noMore] = steps.get(3) ?? [];
    expect(await run(install)).toContain("Installed.");
    expect(noMore).toEqual([]);

    const [tryOut, watchAll, feed] = steps.get(4) ?? [];
    expect(await run(tryOut)).toContain("\n968:espresso\n");
    const all = await watch(watchAll, "ekuiper/labels", 7, () => run(feed));
    expect(all.join("\n")).toContain('{"label":"518:crane"}');

    const [rule, watchMine, feedOne] = steps.get(5) ?? [];
    const subscribed = gateway.broker.nextSubscriber("tfdemo");
    expect(await run(rule)).toContain("Rule mine was created");
    await subscribed;
    const [line = ""] = await watch(watchMine, "mine", 1, () => run(feedOne));
    const page = await readFile("docs/tutorials/label-in-an-ekuiper-rule.md", "utf8");
    const [, printed = ""] = /prints `(\{.*?\})`/.exec(page) ?? [];
    expect(line.slice(line.indexOf("{"))).toMatch(new RegExp(`^${printed.replace("…", "\\d+")}$`));
  });
});
