/** `npm run demo` as a user runs it. */
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { whyNoEngine } from "../../scripts/ekuiper-engine/build.ts";
import { runScript } from "../script.ts";

const noEngine = await whyNoEngine();
const skip = noEngine !== undefined && !process.env.CI; // in CI a missing Go shall fail
if (skip) console.warn(`The demo is not tested. ${noEngine}`);

test.skipIf(skip)("the demo brings an image through eKuiper, prints its label and stops what it started", async () => {
  const { code, out, err } = await runScript("demo", [resolve("test/fixtures/chelsea.png")]);
  expect(code, err).toBe(0);
  expect(out).toContain('{"label":"286:Egyptian cat"}');
  expect(out).toMatch(/^286:Egyptian cat$/m);
  const [engine] = /http\S+(?=\n.*labeler)/.exec(out) ?? [];
  await expect(fetch(`${engine}/ping`)).rejects.toThrow("fetch failed");
});

test.skipIf(skip)("the demo says why an image has no label", async () => {
  const { code, out, err } = await runScript("demo", [resolve("README.md")]);
  expect(out).toContain('received  {"label":""} on ekuiper/labels');
  expect(err).toMatch(/^The image has no label\. \w+ .*PNG/);
  expect(code).toBe(1);
});

test("an image that does not exist is an error before anything is started", async () => {
  expect(await runScript("demo", [resolve("no-such.png")])).toEqual({
    code: 2,
    out: "",
    err: expect.stringMatching(/^Cannot read the image: .*no-such\.png/),
  });
});
