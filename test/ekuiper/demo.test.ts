/** `npm run demo` as a user runs it. */
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { whyNoEngine } from "../../scripts/ekuiper/build.ts";

const noEngine = await whyNoEngine();
const skip = noEngine !== undefined && !process.env.CI; // in CI a missing Go shall fail
if (skip) console.warn(`The demo is not tested. ${noEngine}`);

const demo = (...args: string[]) =>
  promisify(execFile)(process.execPath, ["node_modules/tsx/dist/cli.mjs", "scripts/demo.ts", ...args]);

test.skipIf(skip)("the demo brings an image through eKuiper, prints its label and stops what it started", async () => {
  const { stdout } = await demo(resolve("test/fixtures/chelsea.png"));
  expect(stdout).toContain('{"label":"286:Egyptian cat"}');
  expect(stdout).toMatch(/^286:Egyptian cat$/m);
  const [engine] = /http\S+(?=\n.*labeler)/.exec(stdout) ?? [];
  await expect(fetch(`${engine}/ping`)).rejects.toThrow("fetch failed");
});

test("an image that does not exist is an error before anything is started", async () => {
  const failed = await demo(resolve("no-such.png")).catch((error) => error);
  expect(failed).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringMatching(/^Cannot read the image: .*no-such\.png/),
  });
});
