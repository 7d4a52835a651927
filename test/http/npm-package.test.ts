/** `npm run package -- --npm`: what a user gets who installs the package in an empty folder with Node alone. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Engine, startEngine } from "../../scripts/ekuiper-engine/engine.ts";
import { NoPython, pythonPrograms } from "../../scripts/system/python.ts";
import { type Broker, startBroker } from "../../scripts/user/ekuiper/broker.ts";
import { skip } from "../ekuiper/gateway.ts";
import { fixture, labelsOf, post } from "./client.ts";
import { Installed } from "./installed.ts";
import { addTiny } from "./tiny-model.ts";

const COFFEE = resolve("test/fixtures/coffee.png");
const NOBODY = 65_534;

const parent = mkdtempSync(join(tmpdir(), "edge-labeler-npm-package-"));
const release = join(parent, "release");
const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
const archive = join(release, `edge-labeler-${version}.tgz`);
/** How long each step took, in seconds; printed at the end. */
const times: string[] = [];
let installed: Installed;

async function timed<T>(step: string, run: () => T | Promise<T>): Promise<T> {
  const begin = performance.now();
  const result = await run();
  times.push(`${step} ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  return result;
}

const makePackage = (folder: string, cwd = resolve()) =>
  execFileSync("npm", ["run", "--silent", "package", "--", "--npm", folder], {
    cwd,
    stdio: "pipe",
    env: { ...process.env, INIT_CWD: cwd },
  });

beforeAll(async () => {
  await timed("npm run package -- --npm", () => makePackage(release));
  chmodSync(parent, 0o755);
  installed = new Installed(parent);
  await timed("npm install", () => installed.install(archive));
});
afterEach(() => installed.stop());
afterAll(() => {
  console.info(`As a new user: ${times.join(", ")}.`);
  rmSync(parent, { recursive: true });
});

describe("the package", () => {
  it("brings workerd, and no other package", () => {
    expect(installed.packages().sort()).toEqual([
      `@cloudflare/workerd-${process.platform}-${process.arch === "x64" ? "64" : process.arch}`,
      "edge-labeler",
      "workerd",
    ]);
    const { dependencies } = JSON.parse(readFileSync(installed.part("package.json"), "utf8"));
    const { devDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(dependencies).toEqual({ workerd: devDependencies.workerd });
  });

  it("is not what npm pack makes of the sources", () => {
    const { status, stderr } = spawnSync("npm", ["pack", "--dry-run"], { encoding: "utf8" });
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/Make the package instead: npm run package -- --npm release/);
  });

  it("names the commands as they are called there, and those of a checkout", async () => {
    expect((await installed.run([])).out).toMatch(/^edge-labeler COMMAND/);
    expect((await installed.run(["--version"])).out).toBe(`${version}\n`);
    expect((await installed.run(["model", "--help"])).out).toMatch(/^edge-labeler model COMMAND/);
    expect((await installed.run(["model", "nosuch"])).err).toMatch(/Help: edge-labeler model --help\n$/);
    expect(await installed.run(["deploy"])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^edge-labeler deploy needs a checkout.*Run npm run deploy there\.\n$/),
    });
    expect((await installed.run(["nosuch"])).err).toMatch(/^There is no command nosuch\. There are serve, label/);
    const programs = ["bin", "worker"].flatMap((folder) =>
      readdirSync(installed.part(folder)).map((name) => installed.part(join(folder, name))),
    );
    for (const program of programs.filter((name) => /\.m?js$/.test(name))) {
      const text = readFileSync(program, "utf8");
      expect(text.match(/npm run (serve|label|model|ekuiper|token)\b(?!:).*/), program).toBeNull();
    }
  });

  // Only in CI, since it takes as long as all others together.
  it.runIf(process.env.CI)(
    "is the same, byte by byte, if another checkout makes it",
    { timeout: 240_000, retry: 0 },
    () => {
      const other = resolve(".cache", `package-${process.pid}`);
      try {
        const files = execFileSync("git", ["ls-files", "-z"], { encoding: "utf8" });
        for (const file of files.split("\0").filter((name) => existsSync(name) && name !== ""))
          cpSync(file, join(other, file));
        mkdirSync(join(other, "node_modules"));
        // Without .vite and other caches, which tests that run at the same time write.
        const names = readdirSync("node_modules").filter((name) => !/^\.(?!bin$|package-lock)/.test(name));
        for (const name of names) {
          execFileSync("cp", ["-al", join("node_modules", name), join(other, "node_modules", name)]);
        }
        makePackage(join(other, "release"), other);
        for (const name of readdirSync(release)) {
          expect(readFileSync(join(other, "release", name)).equals(readFileSync(join(release, name))), name).toBe(true);
        }
      } finally {
        rmSync(other, { recursive: true, force: true });
      }
    },
  );

  it("has checksums that sha256sum confirms, and a bill of materials that fits the schema of CycloneDX", () => {
    expect(execFileSync("sha256sum", ["--check", "SHA256SUMS"], { cwd: release, encoding: "utf8" })).toMatch(/tgz: OK/);
    const sbom = join(release, `edge-labeler-${version}.cdx.json`);
    const bom = JSON.parse(readFileSync(sbom, "utf8"));
    const names = bom.components.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(["workerd", "hono", "@tensorflow/tfjs-core", "codecs.wasm"]));
    let python: string;
    try {
      python = join(pythonPrograms("cyclonedx", ["cyclonedx-python-lib[json-validation]==11.12.0"]), "python");
    } catch (error) {
      if (process.env.CI || !(error instanceof NoPython)) throw error;
      console.warn(`The bill of materials is not compared with its schema. ${error.message}`);
      return;
    }
    const program = `import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())
sys.exit(None if error is None else str(error)[:2000])`;
    const { status, stderr } = spawnSync(python, ["-c", program, sbom], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });

  it("has a client for JavaScript and TypeScript", async () => {
    const url = await installed.serve();
    const program = `import { labelerClient } from "edge-labeler/client";
const labeler = labelerClient("${url}");
const models = await (await labeler.models.$get()).json();
console.log(models.map(({ name }) => name).join());`;
    const client = join(installed.folder, "client.mjs");
    writeFileSync(client, program);
    const options = { cwd: installed.folder, encoding: "utf8" } as const;
    expect(execFileSync(process.execPath, [client], options)).toContain("mobilenet_v1_1.0_224");
    const tsc = (text: string) => {
      writeFileSync(join(installed.folder, "client.mts"), text);
      const flags = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom"];
      return spawnSync(resolve("node_modules/.bin/tsc"), [...flags, "client.mts"], options);
    };
    expect(tsc(program)).toMatchObject({ stdout: "", status: 0 });
    expect(tsc(program.replace("({ name }) => name", "({ nosuch }) => nosuch")).stdout).toMatch(
      /'nosuch' does not exist/,
    );
  });
});

describe("in an empty folder with Node alone", () => {
  it("serves and labels, takes a model while it runs, and reads its token from a file", async () => {
    const token = join(parent, "token");
    writeFileSync(token, "s3cret\n");
    const env = { LABELER_TOKEN_FILE: token };
    const url = await timed("npx edge-labeler serve", () => installed.serve(["--var", "DEFAULT_MODEL:late"], env));
    const curl = (...args: string[]) => execFileSync("curl", ["--silent", ...args], { encoding: "utf8" });
    const query = `${url}/label?model=mobilenet_v1_1.0_224`;
    expect(curl("--data-binary", `@${COFFEE}`, query)).toMatch(/401/);
    const answer = await timed("curl", () =>
      curl("--header", "Authorization: Bearer s3cret", "--data-binary", `@${COFFEE}`, query),
    );
    expect(JSON.parse(answer)[0].label).toBe("968:espresso");
    addTiny(join(installed.home, ".local/share/edge-labeler/models"), "late");
    const headers = { authorization: "Bearer s3cret" };
    const status = async () => (await post(`${url}/label`, fixture("coffee.png"), headers)).status;
    await expect.poll(status, { timeout: 20_000 }).toBe(200);
    expect((await labelsOf(await post(`${url}/label`, fixture("coffee.png"), headers)))[0].label).toMatch(
      /red|green|blue|grey/,
    );
  });

  it("labels files without a server, and adds a Keras model", async () => {
    const labelled = await timed("npx edge-labeler label", () => installed.run(["label", COFFEE, "--json"]));
    expect(labelled.err).toBe("");
    expect(JSON.parse(labelled.out)[0].labels[0].label).toBe("968:espresso");
    const added = await installed.run([
      "model",
      "add",
      resolve("test/fixtures/keras/layers-3/model.h5"),
      "--name",
      "keras",
    ]);
    expect(added).toMatchObject({
      code: 0,
      out: expect.stringMatching(/or edge-labeler label --model keras photo\.jpg/),
    });
    expect((await installed.run(["model", "explain", "mobilenet_v1_1.0_224"])).out).toMatch(/CONV_2D/);
    expect((await installed.run(["model", "check", "mobilenet_quant_v1_224"])).out).toMatch(/: can be used/);
    expect(existsSync(installed.part("model-assets/keras"))).toBe(false);
  });

  it("names the folder that cannot be written, and the option for another one", async () => {
    const { code, err } = await installed.run(["model", "remove", "x"], { LABELER_MODELS: "/dev/null/models" });
    expect(code).toBe(1);
    expect(err).toMatch(/cannot be copied to \/dev\/null\/models: .*with --models or LABELER_MODELS\.\n$/);
  });

  describe.skipIf(skip)("beside the real eKuiper", () => {
    let engine: Engine;
    let broker: Broker;
    beforeAll(async () => {
      broker = await startBroker();
      engine = await startEngine({ broker: broker.url });
    });
    afterAll(async () => {
      await engine?.stop();
      await broker?.stop();
    });

    it("installs its functions and rules, and labels an image that is published", async () => {
      const url = await installed.serve();
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      const wiring = ["--gateway", engine.url, "--labeler", url, "--broker", broker.url];
      const made = await timed("npx edge-labeler ekuiper install", () =>
        installed.run(["ekuiper", "install", ...wiring]),
      );
      expect(made.out).not.toMatch(/^(WARN|FAIL)/m);
      expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/Try it: edge-labeler ekuiper test/) });
      const tried = await timed("npx edge-labeler ekuiper test", () => installed.run(["ekuiper", "test", ...wiring]));
      expect(tried.err).toBe("");
      expect(tried).toMatchObject({ code: 0, out: expect.stringMatching(/968:espresso/) });
    });
  });
});

describe("on a closed machine", () => {
  const isolated = (...command: string[]) => ["unshare", "--net", "--mount", ...command];
  const canIsolate = () => spawnSync("unshare", ["--net", "--mount", "true"]).status === 0;
  const skipped = process.platform !== "linux" || (!canIsolate() && !process.env.CI);
  if (skipped) console.warn("A machine without network is not tested: unshare(1) may not make namespaces here.");

  /** The files below a folder that were changed after this moment. */
  function changedSince(folder: string, time: number): string[] {
    const paths = readdirSync(folder, { recursive: true }) as string[];
    return paths.filter((path) => (statSync(join(folder, path), { throwIfNoEntry: false })?.ctimeMs ?? 0) > time);
  }

  it.skipIf(skipped)("serves and labels without network, as another user, from a read-only file system", () => {
    const home = join(parent, "nobody");
    mkdirSync(home);
    chownSync(home, NOBODY, NOBODY);
    const program = `set -e
ip link set lo up
mount --bind "$INSTALLED" "$INSTALLED"
mount -o remount,bind,ro "$INSTALLED"
cd "$INSTALLED"
exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups --no-new-privs sh -c '
  if touch "$INSTALLED/x" 2>/dev/null; then echo "it is not read-only"; exit 1; fi
  PATH="$INSTALLED/node_modules/.bin:$PATH"
  edge-labeler serve --workers 1 --drain 1 & serve=$!
  for attempt in $(seq 300); do curl -sf http://127.0.0.1:8787/readyz && break; sleep 0.2; done
  curl -s --data-binary "@$COFFEE" "http://127.0.0.1:8787/label?top=1"
  edge-labeler label "$COFFEE"
  kill $serve; wait $serve
'`;
    const begin = Date.now();
    const coffee = join(home, "coffee.png");
    cpSync(COFFEE, coffee);
    chownSync(coffee, NOBODY, NOBODY);
    const env = { ...installed.env, HOME: home, INSTALLED: installed.folder, COFFEE: coffee };
    const [unshare, ...args] = isolated("sh", "-c", program);
    const { status, stdout, stderr } = spawnSync(unshare, args, { env, cwd: "/", encoding: "utf8", timeout: 110_000 });
    expect(`${stdout}${stderr}`).toMatch(/"label":"968:espresso".*99\.\d % +968:espresso/s);
    expect(status, stderr).toBe(0);
    expect(changedSince(installed.folder, begin)).toEqual([]);
    expect(readdirSync(join(home, ".local/state/edge-labeler"))).toContain("results");
  });
});
