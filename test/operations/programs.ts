/** What the tests of operations/ share: the programs that they need, and those that they run beside the labeler. */
import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { findProgram } from "../../scripts/ekuiper-engine/relay.ts";

/** Whether a test has to be left out for want of a program; in CI it shall fail instead. */
export function lacks(...programs: string[]): boolean {
  const missing = programs.filter((name) => findProgram(name) === undefined);
  if (missing.length > 0) console.warn(`Not all of operations/ is tested. Not installed: ${missing.join(", ")}.`);
  return missing.length > 0 && !process.env.CI;
}

/** The path of a program. @throws Error if it is not installed. */
export function program(name: string): string {
  const found = findProgram(name);
  if (found === undefined) throw new Error(`${name} is not installed.`);
  return found;
}

export interface Server {
  log(): string;
  stop(): Promise<void>;
}

/** Starts a server, which is to be stopped. */
export function startServer(name: string, args: readonly string[]): Server {
  const child: ChildProcess = spawn(program(name), args, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => (log += data));
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    log: () => log,
    stop: () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

/** Waits until a server accepts connections. @throws Error with its log if it does not within 20 s. */
export async function listens(port: number, server: Server): Promise<void> {
  for (const end = Date.now() + 20_000; ; await sleep(50)) {
    const socket = connect(port, "127.0.0.1");
    const isThere = await new Promise((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    socket.destroy();
    if (isThere) return;
    if (Date.now() > end) throw new Error(`Nothing listens on port ${port}:\n${server.log()}`);
  }
}

/** Replaces each pattern, which must occur. */
export function edit(text: string, changes: Readonly<Record<string, string>>): string {
  return Object.entries(changes).reduce((edited, [pattern, by]) => {
    if (!edited.includes(pattern)) throw new Error(`"${pattern}" is not there any more.`);
    return edited.replaceAll(pattern, by);
  }, text);
}
