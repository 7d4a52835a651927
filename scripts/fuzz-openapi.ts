/**
 * `npm run fuzz:openapi [-- --cases N]`: schemathesis makes calls of the interface's description and holds the answers
 * against it: no 5xx, no status, type or shape that is not described. It comes from PyPI into a venv of its own.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { countIn, runCommand } from "./lib/command.ts";
import { startLabeler } from "./lib/labeler.ts";
import { operations } from "./openapi/operations.ts";

const VERSION = "4.32.5";
const VENV = ".cache/schemathesis";
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "unsupported_method",
];

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status}`);
}

/** @returns The program `st`. */
function schemathesis(): string {
  const program = join(VENV, "bin", "st");
  if (!existsSync(program)) {
    run("python3", ["-m", "venv", VENV]);
    run(join(VENV, "bin", "pip"), ["install", "--quiet", "--disable-pip-version-check", `schemathesis==${VERSION}`]);
  }
  return program;
}

/**
 * Runs schemathesis: a person sees all that it says as it says it, a log its counts, or all of it where it found a fault.
 * Not synchronous, since the labeler's proxy lives in this process.
 *
 * @returns Its exit code.
 */
function watch(program: string, args: readonly string[]): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: process.stdout.isTTY ? "inherit" : ["ignore", "pipe", "inherit"] });
    const said: Buffer[] = [];
    child.stdout?.on("data", (piece: Buffer) => said.push(piece));
    child.on("error", reject);
    child.on("close", (code) => {
      const text = Buffer.concat(said).toString();
      const counts = text.match(/^ *(Tested: \d+|\d+ generated, .*)$/gm) ?? [];
      if (said.length > 0)
        console.log(code === 0 ? `schemathesis: ${counts.map((line) => line.trim()).join("; ")}` : text);
      resolve(code);
    });
  });
}

const usage = `npm run fuzz:openapi -- [options]: schemathesis holds the labeler's answers against /openapi.json

  --cases N         how many calls, at least if they are 1000 or more (1000)
  --seed N          other calls (1)

schemathesis ${VERSION} comes from PyPI into ${VENV}; it needs Python 3.10 or newer.`;

const options = { cases: { type: "string", default: "1000" }, seed: { type: "string", default: "1" } } as const;

await runCommand({ usage, options }, async (values) => {
  const cases = countIn("cases", values.cases);
  const program = schemathesis();
  const labeler = await startLabeler();
  let code: number | null;
  try {
    await fetch(`${labeler.url}/readyz`);
    const args = [
      ...["run", `${labeler.url}/openapi.json`, "--url", labeler.url],
      ...["--checks", CHECKS.join(",")],
      ...["--phases", "examples,coverage,fuzzing"],
      ...["--max-examples", String(Math.ceil(cases / operations.length)), "--seed", values.seed],
      ...["--max-response-time", "5", "--suppress-health-check", "all", "--no-color"],
    ];
    code = await watch(program, args);
  } finally {
    await labeler.stop();
  }
  return code ?? 1;
});
