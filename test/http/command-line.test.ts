/** The commands of package.json: each has --help, and reports wrong arguments on one line. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { CommandError, countIn, fromUser, readArguments, UsageError } from "../../scripts/command-line/command.ts";
import { checkWranglerDev, WRANGLER_DEV_OPTIONS } from "../../scripts/labeler/wrangler-dev.ts";
import { compiled } from "../../scripts/run/cache.mjs";
import { runScript } from "../script.ts";

const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
const ours = Object.keys(scripts).filter((name) => scripts[name].includes("scripts/"));
/** Hand on what they do not know: to wrangler and vitest. */
const HAND_ON = ["deploy", "test"];

// In one process, which takes half the processor time of one for each program.
beforeAll(async () => {
  const sources = ours.map((name) => resolve(/scripts\/\S+\.ts/.exec(scripts[name])?.[0] ?? name));
  const missing = sources.filter((source) => compiled(source) === undefined);
  const { stdout } = await promisify(execFile)(process.execPath, ["scripts/run/compile.mjs", ...missing]);
  expect(JSON.parse(stdout)).toHaveLength(missing.length);
});

describe.concurrent.each(ours)("npm run %s", (name) => {
  const called = ["start", "test"].includes(name) ? `npm ${name}` : `npm run ${name}`;

  it("--help says how it is called, and ends with 0", async () => {
    const { code, out, err } = await runScript(name, ["--help"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out.slice(0, called.length + 1)).toMatch(new RegExp(`^${called}[: ]`));
    expect(out.split("\n").filter((line) => line.length > 120)).toEqual([]);
  });

  it.skipIf(HAND_ON.includes(name))(
    "ends with 2 at an unknown option, and says in one line how to get help",
    async () => {
      const { code, out, err } = await runScript(name, ["--nosuch"]);
      expect({ code, out, err }).toEqual({
        code: 2,
        out: "",
        err: `Unknown option '--nosuch'. Help: ${called} -- --help\n`,
      });
    },
  );
});

describe("arguments", () => {
  const command = {
    usage: "npm run x -- [options] FILE",
    options: { top: { type: "string", default: "3" }, json: { type: "boolean" } },
    operands: 1,
  } as const;

  it("are read: options, and what belongs to none", () => {
    expect(readArguments(command, ["a.png", "--top", "1"])).toEqual({ values: { top: "1" }, operands: ["a.png"] });
  });

  it.each([
    [["--top"], "Option '--top <value>' argument missing."],
    [["--json=1"], "Option '--json' does not take an argument."],
    [["--top", "--json"], "--top lacks its value. One that begins with a dash is written --top=-…."],
    [["-cat.png"], "Unknown option '-c'. A file whose name begins with a dash is written ./-…."],
    [["--no-json"], "Unknown option '--no-json'."],
    [["a", "b"], 'What is "b"? The command takes no more than 1.'],
  ])("%j are wrong", (args, message) => {
    expect(() => readArguments(command, args)).toThrow(new UsageError(message));
  });

  it("are counts only if they are", () => {
    expect(countIn("top", "12")).toBe(12);
    for (const text of ["0", "-1", "1.5", "1e3", "many", "", "9".repeat(20)]) {
      expect(() => countIn("top", text), text).toThrow(`--top ${text}: it is a whole number above 0.`);
    }
  });

  it("are paths from where npm was called", () => {
    expect(fromUser("/a/b.png")).toBe("/a/b.png");
    expect(fromUser("b.png")).toBe(`${process.env.INIT_CWD ?? process.cwd()}/b.png`);
    expect(() => fromUser("")).toThrow(new UsageError("The name of a file or folder is empty."));
  });

  it("that are wrong end a command with 2, what has failed with 1", () => {
    expect(new UsageError("").exitCode).toBe(2);
    expect(new CommandError("", 1).exitCode).toBe(1);
  });
});

describe("npm start", () => {
  it("knows the options of wrangler dev, each by its name", async () => {
    const wrangler = "node_modules/wrangler/wrangler-dist/cli.js";
    const { stdout } = await promisify(execFile)(process.execPath, [wrangler, "dev", "--help"]);
    const names = [...stdout.matchAll(/^ +(?:-\w, +)?(--[\w-]+(?:, --[\w-]+)*)/gm)].flatMap(([, names]) =>
      names.split(", "),
    );
    expect(names.length).toBeGreaterThan(40);
    expect(names.map((name) => name.replace(/^--(no-)?/, "")).toSorted()).toEqual(WRANGLER_DEV_OPTIONS.toSorted());
  });

  it.each([
    ["--port", "8800", "--var", "DEFAULT_MODEL:--x", "--ip=localhost"],
    ["--no-bundle", "--inspectorPort", "0", "-e", "x", "--x-new", "--show-interactive-dev-session=false"],
    ["--", "--nosuch"],
    ["--port", "-1"],
  ])("takes %s", (...args) => {
    expect(() => checkWranglerDev(args)).not.toThrow();
  });

  it.each([
    [["--ports", "8800"], "--ports"],
    [["--port", "8800", "--nosuch=1"], "--nosuch"],
    [["-p", "8800"], "-p"],
  ])("refuses %j", (args, option) => {
    expect(() => checkWranglerDev(args)).toThrow(new UsageError(`Unknown option '${option}'.`));
  });
});
