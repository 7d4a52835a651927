/** `npm run package`: a labeler that needs nothing but Node, for this machine, and in CI for ARM, emulated by QEMU. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { freePorts } from "../../scripts/system/ports.ts";
import { fixture, labelsOf, post } from "./client.ts";
import { addTiny } from "./tiny-model.ts";

/** Debian's packages qemu-user and libc6-arm64-cross. */
const ARM = { qemu: "/usr/bin/qemu-aarch64", root: "/usr/aarch64-linux-gnu" };

const headers = { authorization: "Bearer s3cret" };

let folder: string;
/** For this machine, with Node. */
let here: string;
const running: ChildProcess[] = [];

/** Makes a package in a folder of its own, so that a test that is tried again can make it again. */
const makePackage = (...args: string[]): string => {
  const made = join(mkdtempSync(join(folder, "made-")), "package");
  execFileSync("npm", ["run", "--silent", "package", "--", made, ...args], { stdio: "pipe" });
  return made;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "edge-labeler-package-"));
  here = makePackage("--with-node");
});
afterEach(async () => {
  for (const child of running.splice(0)) {
    const ended = new Promise((wake) => child.once("exit", wake));
    if (child.kill("SIGTERM")) await ended;
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Starts a package away from the checkout, and with an environment that leads to nothing in it. */
async function serve(made: string, args: string[] = []): Promise<string> {
  const [port] = await freePorts(1);
  const state = join(folder, `state-${port}`);
  mkdirSync(state);
  const all = [join(made, "serve.mjs"), "--port", String(port), "--state", state, "--drain", "1", ...args];
  const child = spawn(process.execPath, all, {
    cwd: tmpdir(),
    env: { PATH: "/usr/bin:/bin", LABELER_TOKEN: "s3cret" },
  });
  running.push(child);
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (log += data));
  await expect.poll(() => log, { timeout: 60_000 }).toMatch(/Edge Labeler at/);
  return `http://127.0.0.1:${port}`;
}

const label = (url: string, image: string, query: string) => post(`${url}/label?${query}`, fixture(image), headers);

it("labels, asks for its token, and takes a model that is dropped into its folder", async () => {
  const url = await serve(here, ["--workers", "2", "--var", "DEFAULT_MODEL:late"]);
  expect((await post(`${url}/label`, fixture("coffee.png"))).status).toBe(401);
  expect((await labelsOf(await label(url, "coffee.png", "model=mobilenet_v1_1.0_224")))[0].label).toBe("968:espresso");
  addTiny(join(here, "model-assets"), "late");
  const status = () => label(url, "coffee.png", "").then((response) => response.status);
  await expect.poll(status).toBe(200);
  expect((await post(`${url}/ekuiper/sink?id=a`, fixture("coffee.png"), headers)).status).toBe(204);
  expect((await fetch(`${url}/results/a`, { headers })).status).toBe(200);
});

it("says what is wrong with its options", () => {
  const run = (...args: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [join(here, "serve.mjs"), "--state", folder, ...args]);
    return `${status} ${stderr}`;
  };
  expect(run("--var", "DEFAULT_MODLE:x")).toMatch(/^2 There is no setting DEFAULT_MODLE\. There are: .*DEFAULT_MODEL/);
  expect(run("--prot", "80")).toBe("2 Unknown option '--prot'. Help: edge-labeler serve --help\n");
});

it("needs not even Node if it brings its own", () => {
  const programs = join(folder, "programs");
  mkdirSync(programs);
  for (const name of ["dirname", "readlink"]) symlinkSync(`/usr/bin/${name}`, join(programs, name));
  const link = join(programs, "edge-labeler");
  symlinkSync(join(here, "edge-labeler"), link);
  const env = { PATH: programs, TMPDIR: folder };
  const { status, stdout, stderr } = spawnSync(link, ["label", resolve("test/fixtures/coffee.png")], {
    env,
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(stdout).toMatch(/968:espresso/);
  expect(status).toBe(0);
  expect(existsSync(join(here, "LICENSE-node.txt"))).toBe(true);
});

it("is not made over what is there, or for a platform without workerd", () => {
  const run = (...args: string[]) => {
    const { status, stderr } = spawnSync("npm", ["run", "--silent", "package", "--", ...args]);
    return `${status} ${stderr}`;
  };
  expect(run(here)).toBe(`2 ${here} is there already. Remove it or name another one.\n`);
  expect(run(join(folder, "x"), "--platform", "linux-mips")).toMatch(
    /^2 .*one of linux-x64, linux-arm64\. Help: npm run package -- --help/,
  );
  expect(existsSync(join(folder, "x"))).toBe(false);
});

/** One in each precision. */
const IMAGES = [
  ["china.jpg", "model=efficientnet_lite0&precision=fast"],
  ["coffee.png", "model=mobilenet_v1_1.0_224&precision=exact"],
  ["coffee-96.webp", "model=mobilenet_quant_v1_224&precision=quantised"],
];

// Only in CI, since an emulated inference takes seconds, and the package as long as the other one.
it.runIf(process.env.CI)("gives the same confidences on ARM, to the last bit, in each precision", async () => {
  const arm = makePackage("--platform", "linux-arm64");
  renameSync(join(arm, "workerd"), join(arm, "workerd.arm64"));
  const start = `#!/bin/sh\nexec ${ARM.qemu} -L ${ARM.root} ${resolve(arm, "workerd.arm64")} "$@"\n`;
  writeFileSync(join(arm, "workerd"), start, { mode: 0o755 });
  const [near, far] = [
    await serve(here, ["--workers", "1"]),
    await serve(arm, ["--workers", "1", "--watchdog", "600"]),
  ];
  for (const [image, query] of IMAGES) {
    const expected = await labelsOf(await label(near, image, `${query}&top=1000`));
    const found = await labelsOf(await label(far, image, `${query}&top=1000`));
    expect(found, query).toEqual(expected);
  }
});
