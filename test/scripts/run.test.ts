/** scripts/run.mjs in a small checkout of its own, with the compiler of this one. */
import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { makeReadOnly, mountSmall, unmountAll } from "../http/mounted.ts";
import type { Ended } from "../script.ts";

const folder = mkdtempSync(join(tmpdir(), "run-script-"));
const checkout = join(folder, "checkout");
const cache = join(checkout, ".cache/scripts");
const mounted = mountSmall(checkout);

const PROGRAM = `import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { word } from "./word.ts";
enum Kind { Only = 7 }
const [, program, ...args] = process.argv;
if (args[0] === "throw") {
  throw new Error("as asked");
}
if (args[0] === "wait") {
  process.once("SIGTERM", () => process.exit(Kind.Only));
  setInterval(() => undefined, 1000);
}
const stdin = args[0] === "wait" ? "" : readFileSync(0, "utf8");
const lazy = await import("./lazy.ts");
console.log(JSON.stringify({ word, program, args, stdin, pid: process.pid, lazy: lazy.files, here: import.meta.dirname }));
process.exitCode = Kind.Only;
`;
const LAZY = `import { glob } from "tinyglobby";
import { word } from "./word.ts";
export const files = [word, ...(await glob("*.txt", { cwd: new URL(".", import.meta.url) })), typeof glob];
`;
const at = (name: string) => join(checkout, "scripts", name);
const write = (name: string, text: string) => writeFileSync(at(name), text);
const say = (word: string) => write("word.ts", `export const word: string = "${word}";\n`);

function start(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, ["scripts/run.mjs", "scripts/program.ts", ...args], { cwd: checkout, env });
  let [out, err] = ["", ""];
  child.stdout.on("data", (data) => (out += data));
  child.stderr.on("data", (data) => (err += data));
  const ended = new Promise<Ended>((end) => child.on("close", (code) => end({ code, out, err })));
  return { child, ended, out: () => out };
}

function run(args: readonly string[] = [], stdin = "", environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const { child, ended } = start(args, environment);
  child.stdin.end(stdin);
  return ended;
}

const wordOf = async (running: Promise<Ended>): Promise<string> => {
  const { out, err } = await running;
  return err === "" ? JSON.parse(out).word : err;
};

/** The names of the compiled programs. */
const compiled = () => readdirSync(join(cache, "scripts-program")).filter((name) => name !== "sources.json");

beforeAll(() => {
  mkdirSync(join(checkout, "scripts"), { recursive: true });
  for (const name of ["run.mjs", "run"]) cpSync(`scripts/${name}`, at(name), { recursive: true });
  cpSync("package.json", join(checkout, "package.json"));
  symlinkSync(resolve("node_modules"), join(checkout, "node_modules"));
});
beforeEach(() => {
  rmSync(cache, { recursive: true, force: true });
  write("program.ts", PROGRAM);
  write("lazy.ts", LAZY);
  write("note.txt", "");
  say("first");
});
afterAll(() => {
  unmountAll();
  rmSync(folder, { recursive: true });
});

it("gives a program its arguments, input and exit code, and import.meta of its source", async () => {
  for (const _ of ["compiled now", "from the cache"]) {
    const { code, out, err } = await run(["--json", "a b", "--", "-x"], "of stdin");
    expect(err).toBe("");
    expect(JSON.parse(out)).toMatchObject({
      word: "first",
      program: at("program.ts"),
      args: ["--json", "a b", "--", "-x"],
      stdin: "of stdin",
      lazy: ["first", "note.txt", "function"],
      here: join(checkout, "scripts"),
    });
    expect(code).toBe(7);
  }
  expect(compiled()).toHaveLength(1);
});

it("is the process of its program, which gets the signals", async () => {
  const { child, ended, out } = start(["wait"]);
  await expect.poll(out).toMatch(/\n/);
  expect(JSON.parse(out()).pid).toBe(child.pid);
  child.kill("SIGTERM");
  expect((await ended).code).toBe(7);
});

it("names file and line of the source in a stack", async () => {
  for (const _ of ["compiled now", "from the cache"]) {
    const { code, err } = await run(["throw"]);
    expect(err).toMatch(/Error: as asked\n\s+at .*scripts\/program\.ts:7:9/);
    expect(code).toBe(1);
  }
});

describe("compiles again", () => {
  it("what was changed, even if size and times are the same", async () => {
    expect(await wordOf(run())).toBe("first");
    const { atime, mtime } = statSync(at("word.ts"));
    say("other");
    utimesSync(at("word.ts"), atime, mtime);
    expect(await wordOf(run())).toBe("other");
    say("first");
    expect(await wordOf(run())).toBe("first");
    expect(compiled()).toHaveLength(2);
  });

  it("when another file is imported, or one is gone", async () => {
    await run();
    write("second.ts", `export const word = "second";\n`);
    write("program.ts", PROGRAM.replace("./word.ts", "./second.ts"));
    expect(await wordOf(run())).toBe("second");
    rmSync(at("second.ts"));
    const { code, out, err } = await run();
    expect(err).toMatch(/Could not resolve ".\/second.ts"/);
    expect(err).not.toMatch(/compile\.mjs/);
    expect([code, out]).toEqual([1, ""]);
    write("program.ts", PROGRAM);
    expect(await wordOf(run())).toBe("first");
  });

  it("in a checkout that was copied, whose sources differ from the copied cache", async () => {
    await run();
    const copy = join(folder, "copy");
    cpSync(checkout, copy, { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(copy, "scripts/word.ts"), `export const word = "copied";\n`);
    const program = join(copy, "scripts/run.mjs");
    const child = spawn(process.execPath, [program, "scripts/program.ts"], { stdio: ["ignore", "pipe", "inherit"] });
    let out = "";
    child.stdout.on("data", (data) => (out += data));
    await new Promise((end) => child.on("close", end));
    expect(JSON.parse(out)).toMatchObject({ word: "copied", here: join(copy, "scripts") });
  });

  it("what an interrupted compilation or a damaged cache has left", async () => {
    await run();
    const home = join(cache, "scripts-program");
    writeFileSync(join(home, "sources.json"), "[");
    expect(await wordOf(run())).toBe("first");
    for (const name of compiled()) rmSync(join(home, name), { recursive: true });
    mkdirSync(join(home, "unfinished-x"));
    expect(await wordOf(run())).toBe("first");
    expect(compiled().sort()).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), "unfinished-x"]);
  });

  it("and removes what nobody used for a day", async () => {
    await run();
    const home = join(cache, "scripts-program");
    const [old] = compiled();
    const before = new Date(Date.now() - 25 * 3_600_000);
    utimesSync(join(home, old ?? ""), before, before);
    await run(); // used again
    say("second");
    await run();
    expect(compiled()).toContain(old);
    utimesSync(join(home, old ?? ""), before, before);
    say("third");
    await run();
    expect(compiled()).toHaveLength(2);
    expect(compiled()).not.toContain(old);
  });
});

it("may be started by several at once, while a source changes", async () => {
  const words = ["first", "w2222", "w3333"];
  const running = words.flatMap((word) => {
    say(word);
    return [run(), run()];
  });
  for (const word of await Promise.all(running.map(wordOf))) expect(words).toContain(word);
  expect(await wordOf(run())).toBe("w3333");
  expect(compiled().every((name) => /^[0-9a-f]{32}$/.test(name))).toBe(true);
});

it.skipIf(!mounted)("runs in a read-only checkout, and leaves nothing behind", async () => {
  const temporary = join(folder, "temporary");
  mkdirSync(temporary);
  try {
    makeReadOnly(checkout);
    const { code, out, err } = await run(["x"], "", { TMPDIR: temporary });
    expect(err).toBe("");
    expect(JSON.parse(out)).toMatchObject({
      word: "first",
      lazy: ["first", "note.txt", "function"],
      here: join(checkout, "scripts"),
    });
    expect(code).toBe(7);
    expect(readdirSync(temporary)).toEqual([]);
    expect(existsSync(cache)).toBe(false);
  } finally {
    unmountAll();
  }
});
