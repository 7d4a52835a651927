/** Building the engine: what someone without Go, or with an old one, is told. Needs no Go. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildEngine, GoMissing, whyNoEngine } from "../../scripts/ekuiper/build.ts";
import { isOlder } from "../../scripts/lib/versions.ts";

const path = process.env.PATH;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "edge-labeler-test-"));
  await mkdir(join(folder, "bin"));
  process.env.PATH = join(folder, "bin");
});

afterEach(async () => {
  process.env.PATH = path;
  await rm(folder, { recursive: true });
});

test("without Go the message names the version to install", async () => {
  const options = { cache: join(folder, "cache") };
  await expect(buildEngine(options)).rejects.toThrow(GoMissing);
  await expect(buildEngine(options)).rejects.toThrow(/Go was not found\. Install Go 1\.25\.4 or newer/);
  expect(await whyNoEngine(options)).toMatch(/Go was not found/);
});

test.skipIf(process.platform === "win32")("a Go older than go.mod asks for is told apart from none", async () => {
  const go = join(folder, "bin/go");
  await writeFile(go, "#!/bin/sh\necho go version go1.24.7 linux/amd64\n");
  await chmod(go, 0o755);
  expect(await whyNoEngine({ cache: join(folder, "cache") })).toMatch(
    /Go 1\.24\.7 is too old\. Install Go 1\.25\.4 or newer/,
  );
});

test.each([
  ["1.24.7", "1.25.4", true],
  ["1.25.3", "1.25.4", true],
  ["1.25.4", "1.25.4", false],
  ["1.26rc1", "1.25.4", false],
  ["1.26", "1.25.4", false],
  ["1.9", "1.10", true],
  ["2.0", "1.25.4", false],
])("Go %s is older than %s: %s", (a, b, older) => {
  expect(isOlder(a, b)).toBe(older);
});
