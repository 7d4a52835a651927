/** `npm test`: runs all tests. With arguments it runs only vitest, which receives them: npm test -- --project unit */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runPassingThrough } from "../command-line/command.ts";
import { node } from "../labeler/run.ts";
import { nodeTotals, sum, totalsLine, totalsOf, vitestTotals } from "./test/totals.ts";

const CODECS = "native/codecs/test";
const VITEST = ["node_modules/vitest/vitest.mjs", "run"];

const usage = `npm test -- [vitest's options] [FILE …]: runs all tests; with arguments, only those of TypeScript

  --project NAME       unit (inside workerd) or blackbox (from outside)
  -t PATTERN           only tests whose name matches

All options of vitest work, too: npx vitest --help. LABELER_REFERENCE names the folder with the reference data.
A run of all tests ends with a line that counts those of C and those of TypeScript together.`;

/**
 * Runs vitest and Node's test runner at once, even if one of them fails, and adds up their counts.
 *
 * @returns An exit code.
 */
async function runAll(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-test-"));
  const at = (name: string) => join(folder, name);
  const [tap, text, json] = [at("codecs.tap"), at("codecs.txt"), at("vitest.json")];
  const files = readdirSync(CODECS).filter((name) => name.endsWith(".test.mjs"));
  const reporters = [
    ...["--test-reporter=spec", `--test-reporter-destination=${text}`],
    ...["--test-reporter=tap", `--test-reporter-destination=${tap}`],
  ];
  try {
    // At once, since many tests wait for something. The codecs' tests report to a file, so that the outputs do not mix.
    const [codecs, vitest] = await Promise.all([
      node(["--test", ...reporters, ...files.map((name) => join(CODECS, name))]),
      node([...VITEST, "--reporter=default", "--reporter=json", `--outputFile.json=${json}`]),
    ]);
    if (codecs !== 0) console.log(readFileSync(text, "utf8"));
    console.log(`\n${totalsLine(sum(totalsOf(tap, nodeTotals, codecs), totalsOf(json, vitestTotals, vitest)))}`);
    return codecs || vitest;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await runPassingThrough(usage, (args) => (args.length === 0 ? runAll() : node([...VITEST, ...args])));
