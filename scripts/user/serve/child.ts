/** Starts workerd so that it neither outlives the supervisor nor ends with a terminal's Ctrl-C. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";

/** setpriv of util-linux has the kernel kill a process when its parent ends, however that ends; busybox's cannot. */
const SETPRIV = ["setpriv", "--pdeathsig", "KILL", "--"] as const;

let diesWithParent: boolean | undefined;

function wrapped(command: readonly string[]): readonly string[] {
  const [program, ...args] = SETPRIV;
  diesWithParent ??= process.platform === "linux" && spawnSync(program, [...args, "true"]).status === 0;
  return diesWithParent ? [...SETPRIV, ...command] : command; // Otherwise the next start ends the process that was left running.
}

export interface ChildOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** A file descriptor that the process should keep open. */
  readonly descriptor?: number | undefined;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Receives its stderr, which is also written to this process's stderr. */
  readonly onWords: (text: string) => void;
}

/** Starts a program whose stdout is this process's. A failure to start is reported by the child's `error` event. */
export function startChild({ command, descriptor, env, onWords }: ChildOptions): ChildProcess {
  const [program, ...args] = wrapped(command);
  // Detached: otherwise a terminal's Ctrl-C would end it at once, together with the requests in progress.
  const child = spawn(program, args, {
    stdio: ["ignore", "inherit", "pipe", ...(descriptor === undefined ? [] : [descriptor])],
    detached: true,
    ...(env && { env: { ...process.env, ...env } }),
  });
  child.stderr?.on("data", (data: Buffer) => {
    process.stderr.write(data);
    onWords(data.toString());
  });
  return child;
}
