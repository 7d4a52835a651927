/** Runs a command of package.json as a user does, only without npm, which takes a second. */
import { spawn } from "node:child_process";

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The arguments of Node for scripts/NAME.ts. */
export const scriptArguments = (name: string, args: readonly string[] = []): string[] => [
  "--import",
  "tsx",
  `scripts/${name}.ts`,
  ...args,
];

export interface RunOptions {
  /** What it reads; nothing unless set. */
  readonly stdin?: Uint8Array;
  /** Its LABELER_TOKEN; none unless set. */
  readonly token?: string;
  /** What else its environment has. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs scripts/NAME.ts to its end. */
export function runScript(name: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { stdin = new Uint8Array(), token = "", environment } = options;
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
