/** Runs a command of package.json as a user does, only without npm, which takes a second. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { scriptArguments as programArguments } from "../scripts/labeler/run.ts";

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };

/** The arguments of Node that run the file of an npm script. */
export function scriptArguments(name: string, args: readonly string[] = []): string[] {
  const [file] = /scripts\/\S+\.ts/.exec(scripts[name] ?? "") ?? [];
  if (file === undefined) throw new Error(`package.json has no script ${name} that runs a file of scripts/`);
  return programArguments(file, args);
}

export interface RunOptions {
  /** What it reads; nothing unless set. */
  readonly stdin?: Uint8Array;
  /** Its LABELER_TOKEN; none unless set. */
  readonly token?: string;
  /** What else its environment has. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs an npm script to its end. */
export function runScript(name: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { stdin = new Uint8Array(), token, environment } = options;
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LABELER_TOKEN: token, ...environment };
    const child = spawn(process.execPath, scriptArguments(name, args), { env });
    let [out, err] = ["", ""];
    child.stdout.on("data", (data) => (out += data));
    child.stderr.on("data", (data) => (err += data));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
    child.stdin.on("error", () => undefined); // it need not be read
    child.stdin.end(stdin);
  });
}
