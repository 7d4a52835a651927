/**
 * `npm run fuzz:openapi`: schemathesis makes calls from the OpenAPI document and validates the responses against it: no
 * 5xx, and no status, type or shape that is not described. It comes from PyPI into a virtual environment of its own.
 */
import { spawn } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { operations } from "../build/openapi/operations.ts";
import { CommandError, countIn, runCommand } from "../command-line/command.ts";
import { startLabeler } from "../labeler/labeler.ts";
import { pythonPrograms } from "../system/python.ts";

const VERSION = "4.32.5";
/** The folder of hooks.py. */
const HOOKS = resolve("scripts/verify/fuzz");
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "unsupported_method",
];

/** @returns The path of the program `st`. */
const schemathesis = () => join(pythonPrograms("schemathesis", [`schemathesis==${VERSION}`]), "st");

interface Counts {
  /** @returns The exit code. */
  readonly code: number | null;
  readonly generated: number;
  readonly passed: number;
}

/**
 * Runs schemathesis: a terminal shows its output at once, a log only that of a fault. Asynchronous, since the labeler's
 * proxy lives in this process.
 */
function watch(program: string, args: readonly string[]): Promise<Counts> {
  return new Promise((done, reject) => {
    const env = { ...process.env, PYTHONPATH: HOOKS, PYTHONDONTWRITEBYTECODE: "1", SCHEMATHESIS_HOOKS: "hooks" };
    // It leaves its state in its working folder.
    const child = spawn(program, args, { env, cwd: dirname(program), stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (process.stdout.isTTY) process.stdout.write(text);
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code !== 0 && !process.stdout.isTTY) console.log(said);
      const [, generated, passed] = /(\d+) generated, (\d+) passed/.exec(said) ?? [];
      done({ code, generated: Number(generated ?? 0), passed: Number(passed ?? 0) });
    });
  });
}

/** The number of calls of an operation that are generated at least. */
const LEAST = 10;

/** Only operations with input: the others are called once each. */
const varied = operations.filter(({ parameters, query, body }) => parameters ?? query ?? body).length;

const usage = `npm run fuzz:openapi -- [options]: schemathesis validates the labeler's responses against /openapi.json

  --cases N         the least number of calls (1000)
  --seed N          the seed of the calls (1)

schemathesis ${VERSION} comes from PyPI into .cache/; it needs Python 3.10 or newer.`;

const options = { cases: { type: "string", default: "1000" }, seed: { type: "string", default: "1" } } as const;

await runCommand({ usage, options }, async (values) => {
  const cases = countIn("cases", values.cases);
  const first = countIn("seed", values.seed);
  const program = schemathesis();
  const labeler = await startLabeler({ settings: { LOG: "off" } });
  let [generated, passed] = [0, 0];
  try {
    await fetch(`${labeler.url}/readyz`);
    const call = async (phases: string, examples: number, seed: number): Promise<number> => {
      const round = await watch(program, [
        ...["run", `${labeler.url}/openapi.json`, "--url", labeler.url],
        ...["--checks", CHECKS.join(",")],
        ...["--phases", phases, "--max-examples", String(examples), "--seed", String(seed)],
        ...["--max-response-time", "5", "--suppress-health-check", "all", "--warnings", "off", "--no-color"],
      ]);
      generated += round.generated;
      passed += round.passed;
      if (round.code === 0 && round.generated === 0) throw new CommandError("schemathesis made no calls.", 1);
      return round.code ?? 1;
    };
    // Calls that the document itself implies, from limits and examples; their number does not depend on --cases.
    let code = await call("examples,coverage", 1, first);
    // An operation with few parameter values gets fewer calls than allowed; the rest comes from the next seed.
    for (let seed = first; code === 0 && (seed === first || generated < cases); seed++) {
      code = await call("fuzzing", Math.max(LEAST, Math.ceil((cases - generated) / varied)), seed);
    }
    return code;
  } finally {
    await labeler.stop();
    console.log(`schemathesis: ${generated} generated, ${passed} passed`);
  }
});
