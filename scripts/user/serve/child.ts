/** Starts workerd so that it neither outlives the supervisor nor ends with a terminal's Ctrl-C. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";

/** setpriv of util-linux has the kernel kill a process when its parent ends, however that ends; busybox's cannot. */
const SETPRIV = ["setpriv", "--pdeathsig", "KILL", "--"] as const;

let diesWithParent: boolean | undefined;

function wrapped(command: readonly string[]): readonly string[] {
  const [program, ...args] = SETPRIV;
  diesWithParent ??= process.platform === "linux" && spawnSync(program, [...args, "true"]).status === 0;
  return diesWithParent ? [...SETPRIV, ...command] : command; // else the next start ends what was left
}

export interface ChildOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** A file that it shall hold open. */
  readonly descriptor?: number | undefined;
  /** Called with what it writes to stderr, which goes to this process's own, too. */
  readonly onWords: (text: string) => void;
}

/** Starts a program; its stdout is this process's. What fails is reported by the child's `error` event. */
export function startChild({ command, descriptor, onWords }: ChildOptions): ChildProcess {
  const [program, ...args] = wrapped(command);
  // Detached: a terminal's Ctrl-C would end it at once, and with it the requests that it is working on.
  const child = spawn(program, args, {
    stdio: ["ignore", "inherit", "pipe", ...(descriptor === undefined ? [] : [descriptor])],
    detached: true,
  });
  child.stderr?.on("data", (data: Buffer) => {
    process.stderr.write(data);
    onWords(data.toString());
  });
  return child;
}
