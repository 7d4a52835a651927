/** docs/tutorials/teach-a-model.md with photos of a scene that the test draws: its commands, their output and its SQL. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Mailbox } from "../../scripts/user/ekuiper/broker.ts";
import { type Gateway, lacks, skip, startGateway, token } from "./gateway.ts";
import { drawScene, type Scene } from "./scene.ts";

const page = readFileSync("docs/tutorials/teach-a-model.md", "utf8");

/** The commands of the page, and what it says that they print. */
function blocksOf(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(([, text = ""]) => text);
}
const commands = blocksOf("sh").flatMap((block) => block.trim().split("\n"));

/** The only command that begins like this. */
function command(beginning: string): string {
  const found = commands.filter((line) => line.startsWith(beginning));
  expect(found, `${beginning} in ${commands.join("\n")}`).toHaveLength(1);
  return found[0] ?? "";
}

describe.skipIf(skip || lacks("curl"))("the tutorial", () => {
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-teach-tutorial-"));
  const models = join(folder, "models");
  let gateway: Gateway;
  let mailbox: Mailbox;
  /** The gate stands where the page crops. */
  const box = (/--crop ([\d.,]+)/.exec(page)?.[1] ?? "").split(",").map(Number) as [number, number, number, number];

  function photo(gate: Scene["gate"], seed: number, cover?: Scene["cover"]): Buffer<ArrayBuffer> {
    return drawScene({ gate, bays: [false, false], seed, ...(cover && { cover }) }, box);
  }

  beforeAll(async () => {
    cpSync("model-assets/efficientnet_lite0", join(models, "efficientnet_lite0"), { recursive: true });
    for (const label of ["open", "closed", "none"]) mkdirSync(join(folder, "photos", label), { recursive: true });
    for (let i = 1; i <= 10; i++) {
      writeFileSync(join(folder, "photos/open", `${i}.jpg`), photo("open", i));
      writeFileSync(join(folder, "photos/closed", `${i}.jpg`), photo("closed", 100 + i));
      writeFileSync(
        join(folder, "photos/none", `${i}.jpg`),
        photo("open", 200 + i, [25 * i, 240 - 20 * i, (80 * i) % 256]),
      );
    }
    writeFileSync(join(folder, "photo.jpg"), photo("open", 50));
    for (const i of [1, 2]) writeFileSync(join(folder, `night-${i}.jpg`), photo("closed", 300 + i));
    gateway = await startGateway(undefined, { models, labeler: { DEFAULT_MODEL: "efficientnet_lite0" } });
    await gateway.install("function");
    mailbox = await Mailbox.open(gateway.broker.url, ["mine"]);
  });

  afterAll(async () => {
    await mailbox?.close();
    await gateway?.stop();
    rmSync(folder, { recursive: true });
  });

  /** Runs a command in the folder of the photos, with this test's addresses. */
  async function run(line: string): Promise<string> {
    const here = line
      .replace("npm run", `npm --silent --prefix ${resolve(".")} run`)
      .replaceAll("http://GATEWAY:9081", gateway.api.base)
      .replaceAll("http://127.0.0.1:8787", gateway.labeler.url)
      .replace("curl ", `curl -s -H "Authorization: Bearer ${token}" `);
    const where = /run model /.test(here) ? ` --models ${models}` : "";
    const options = { cwd: folder, env: { ...process.env, LABELER_TOKEN: token } };
    const { stdout } = await promisify(execFile)("sh", ["-ec", here + where], options);
    return stdout;
  }

  test("teaches, answers, is corrected photo by photo, and is a function in SQL", async () => {
    const report = await run(command("npm run model -- teach gate photos/ --crop"));
    expect(report).toContain("Taught 3 classes with 30 photos.");
    const [shown = ""] = blocksOf("").filter((block) => block.startsWith("Taught"));
    const lines = shown.split("\n").filter((line) => line !== "");
    // The first lines are there whatever the photos are, with figures of their own.
    const pattern = (line: string) =>
      new RegExp(
        `^${line
          .replace(/[()[\].*+?]/g, "\\$&")
          .replaceAll(/\d+/g, "\\d+")
          .replaceAll(/ +/g, " +")}$`,
        "m",
      );
    for (const line of lines.slice(0, 7)) expect(report).toMatch(pattern(line));
    expect(command("npm run model -- teach gate photos/ --crop")).toContain(
      commands.find((line) => /teach gate photos/.test(line)),
    );

    const answer = JSON.parse(await run(command("curl --data-binary")));
    const printed = JSON.parse(commands.find((line) => line.startsWith("# [{"))?.slice(2) ?? "");
    const labels = (found: { label: string }[]) => found.map(({ label }) => label).sort();
    expect(labels(answer)).toEqual(labels(printed));
    expect([answer[0].label, printed[0].label]).toEqual(["open", "open"]);

    const added = await run(command("npm run model -- teach gate add"));
    expect(added).toContain("Taught 3 classes with 32 photos, 30 of which were taught before.");
    expect(await run(command("npm run model -- teach gate move"))).toMatch(/ none +0 +11 +0| none +\d+ +\d+ +\d+/);
    expect(await run(command("npm run model -- teach gate remove"))).toContain("Taught 3 classes with 31 photos");

    await run(command("npm run ekuiper -- install"));
    const [sql = ""] = blocksOf("sql");
    const subscribed = gateway.broker.nextSubscriber("tfdemo");
    const actions = [{ mqtt: { server: gateway.broker.url, topic: "mine", sendSingle: true } }];
    await gateway.api.putRule({ id: "mine", sql: sql.trim(), actions });
    await subscribed;
    const open = photo("open", 60);
    await expect
      .poll(
        async () => {
          await mailbox.publish("tfdemo", photo("closed", 160));
          await mailbox.publish("tfdemo", open);
          return mailbox.waiting("mine");
        },
        { interval: 1000 },
      )
      .toBeGreaterThan(0);
    expect(JSON.parse(await mailbox.next("mine"))).toEqual({ state: "open" });
  }, 240_000);
});
