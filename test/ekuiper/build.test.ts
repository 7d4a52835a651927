/** Builds of the engine: the message to a user without Go or with an old one, and one build at a time. Needs no Go. */
import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BuildState, buildEngine, GoMissing, whyNoEngine } from "../../scripts/ekuiper-engine/build.ts";
import { holdLock } from "../../scripts/ekuiper-engine/lock.ts";
import { isOlder } from "../../scripts/ekuiper-engine/versions.ts";

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

test.skipIf(process.platform === "win32")("a build says what it is at, and how much of it there is", async () => {
  const go = join(folder, "bin/go");
  await mkdir(join(folder, "source/etc"), { recursive: true });
  // Takes four seconds over what takes the real one minutes; of three packages one is in its cache.
  await writeFile(
    go,
    `#!/bin/sh
case "$1" in
version) echo go version go1.26.0 linux/amd64 ;;
mod) /bin/sleep 1.2; echo '{"Dir":"${folder}/source","Sum":"h1:jkYgE08kQFWO+7WVgGxoJ9pw55H1IwtTzxBLz1l/glg="}' ;;
list) echo 'go: downloading d.e/f v1.0.0' >&2; /bin/sleep 1.2; printf 'a\\nb/c\\nd.e/f\\n' ;;
build)
  printf 'a\\nb/c\\n' >&2
  while [ "$1" != -o ]; do shift; done
  /bin/mkdir -p "\${2%/*}"
  echo made > "$2"
  /bin/sleep 1.2
  ;;
esac
`,
  );
  await chmod(go, 0o755);
  const states: BuildState[] = [];
  const { binary } = await buildEngine({ cache: join(folder, "cache"), progress: (state) => states.push(state) });
  expect(await readFile(binary, "utf8")).toBe("made\n");
  const shown = states.map(({ phase, modules, packages, total }) => `${phase} ${modules}, ${packages} of ${total}`);
  expect(shown[0]).toBe("fetching 0, 0 of 0");
  expect(shown[1]).toBe("fetching 0, 0 of 0"); // while eKuiper itself is fetched, which is most of it
  expect(shown).toContain("fetching 1, 0 of 0");
  expect(shown).toContain("compiling 1, 0 of 3");
  expect(shown.at(-1)).toBe("compiling 1, 2 of 3");
  expect(states.map(({ seconds }) => seconds)).toEqual(states.map(({ seconds }) => seconds).toSorted((a, b) => a - b));
});

test.skipIf(process.platform === "win32")("a source that cannot be fetched is told with Go's reason", async () => {
  const go = join(folder, "bin/go");
  const answer = JSON.stringify({ Path: "x", Error: 'Get "https://proxy/x.info": no such host' });
  await writeFile(
    go,
    `#!/bin/sh\ncase "$1" in version) echo go version go1.26.0 ;; *) echo '${answer}'; exit 1 ;; esac\n`,
  );
  await chmod(go, 0o755);
  const refused = /^The source of eKuiper 2\.4\.2 cannot be fetched: Get "https:\S+ no such host\n.*GOPROXY/;
  await expect(buildEngine({ cache: join(folder, "cache") })).rejects.toThrow(refused);
  expect(await readdir(join(folder, "cache"))).toEqual([]);
});

test("a release that Go does not fetch by itself needs a clone, and is told how to give one", async () => {
  const go = join(folder, "bin/go");
  await writeFile(go, "#!/bin/sh\necho go version go1.26.0 linux/amd64\n");
  await chmod(go, 0o755);
  expect(await whyNoEngine({ version: "2.2.5", cache: join(folder, "cache") })).toMatch(
    /eKuiper 2\.2\.5 is not among .*2\.4\.2.*EKUIPER_CLONE=/,
  );
  expect(await whyNoEngine({ version: "2.4.0", cache: join(folder, "cache") })).toBeUndefined();
  await expect(buildEngine({ version: "newest", cache: folder })).rejects.toThrow(/not a release such as 2\.4\.2/);
});

test("a lock is held by one at a time, and leaves nothing behind", async () => {
  const file = join(folder, "lock");
  const order: number[] = [];
  await Promise.all(
    [1, 2, 3].map(async (number) => {
      const giveBack = await holdLock(file);
      order.push(number);
      await new Promise((wake) => setTimeout(wake, 50));
      order.push(number);
      await giveBack();
    }),
  );
  const [a, b, c, d, e, f] = order;
  expect([a, c, e]).toEqual([b, d, f]);
  expect(await readdir(folder)).toEqual(["bin"]);
});

test("a lock whose process has died is taken", async () => {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  const file = join(folder, "lock");
  await writeFile(file, String(pid));
  const giveBack = await holdLock(file);
  await giveBack();
  expect(await readdir(folder)).toEqual(["bin"]);
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
