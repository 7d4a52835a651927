/** The files of operations/ that other programs read: systemd, logrotate. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";
import { runScript } from "../script.ts";
import { edit, lacks, program } from "./programs.ts";

const folder = mkdtempSync(join(tmpdir(), "edge-labeler-operations-"));
afterAll(() => rmSync(folder, { recursive: true }));

const UNITS = ["edge-labeler.service", "edge-labeler-backup.service", "edge-labeler-backup.timer"];
const unit = (name: string) => readFileSync(join("operations/systemd", name), "utf8");

it.skipIf(lacks("systemd-analyze"))("systemd understands the units without a warning", () => {
  const here: Record<string, Record<string, string>> = {
    // The program of a package, which this checkout does not have.
    "edge-labeler.service": { "ExecStart=/opt/edge-labeler/edge-labeler": `ExecStart=${process.execPath}` },
    "edge-labeler-backup.service": { "/opt/edge-labeler-operations": resolve("operations") },
  };
  for (const name of UNITS) writeFileSync(join(folder, name), edit(unit(name), here[name] ?? {}));
  const paths = UNITS.map((name) => join(folder, name));
  const { status, stdout, stderr } = spawnSync(program("systemd-analyze"), ["verify", "--man=no", ...paths], {
    encoding: "utf8",
  });
  // It also reads the units of this machine.
  const about = `${stdout}${stderr}`.split("\n").filter((line) => line.includes("edge-labeler"));
  expect([status, about]).toEqual([0, []]);
});

it("the service is started with options that serve knows", async () => {
  const { out } = await runScript("serve", ["--help"]);
  const options = [...unit("edge-labeler.service").matchAll(/ serve (--[a-z]+)/g)].map(([, option = ""]) => option);
  expect(options.length).toBeGreaterThan(0);
  expect(options.filter((option) => !out.includes(`${option} `))).toEqual([]);
});

it.skipIf(lacks("logrotate"))("logrotate empties the log, and the labeler goes on at its beginning", async () => {
  const log = join(folder, "edge-labeler.log");
  const descriptor = openSync(log, "a"); // as >> of a shell
  const writer = "let i = 0; setInterval(() => console.log(JSON.stringify({ i: i++ })), 20)";
  const child = spawn(process.execPath, ["-e", writer], { stdio: ["ignore", descriptor, "inherit"] });
  closeSync(descriptor);
  try {
    const numbers = (path: string) =>
      readFileSync(path, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).i as number);
    await expect.poll(() => readFileSync(log, "utf8")).toContain('"i":10');
    const config = edit(readFileSync("operations/logrotate/edge-labeler", "utf8"), {
      "/var/log/edge-labeler.log": log,
    });
    writeFileSync(join(folder, "logrotate.conf"), config, { mode: 0o600 });
    execFileSync(program("logrotate"), ["--force", "--state", join(folder, "status"), join(folder, "logrotate.conf")]);
    await expect.poll(() => readFileSync(log, "utf8").split("\n").length).toBeGreaterThan(3);
    const [rotated, current] = [numbers(`${log}.1`), numbers(log)];
    expect(rotated[0]).toBe(0);
    expect(current[0]).toBeGreaterThan(rotated.at(-1) ?? Number.POSITIVE_INFINITY);
  } finally {
    child.kill();
  }
});
