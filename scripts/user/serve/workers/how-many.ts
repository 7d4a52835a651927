/** How many workers a machine is for. */
import { readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { CommandError } from "../../../command-line/command.ts";
import type { DividedLimits } from "../configure.ts";

export interface Machine {
  readonly cores: number;
  /** In bytes. */
  readonly memory: number;
}

/** The memory that each worker has to itself where nobody says how many there shall be, in bytes. */
const FOR_EACH = 2 ** 30;

/** How many cores the control group of this process and those around it may use; Infinity if that is not limited. */
function coresOfGroup(): number {
  let least = Number.POSITIVE_INFINITY;
  try {
    const own = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1] ?? "/";
    for (let group = own; ; group = dirname(group)) {
      try {
        const [quota, period] = readFileSync(join("/sys/fs/cgroup", group, "cpu.max"), "utf8")
          .split(" ")
          .map(Number);
        if (quota > 0 && period > 0) least = Math.min(least, Math.ceil(quota / period));
      } catch {
        // The root has no such file.
      }
      if (group === "/" || group === ".") return least;
    }
  } catch {
    return least; // no Linux, or no control groups of version 2
  }
}

/** What this process may use of the machine. */
export function thisMachine(): Machine {
  const limit = process.constrainedMemory?.() ?? 0;
  const memory = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return { cores: Math.min(availableParallelism(), coresOfGroup()), memory };
}

/**
 * Chooses the number of workers: for `auto` one for each core, and no more than one for each GB of memory.
 *
 * @param limits Those that the workers divide: each gets at least one of everything.
 * @returns The number, and why it is that, in words.
 * @throws CommandError if the limits are too low for the number that is wanted.
 */
export function howMany(
  wanted: number | "auto",
  { cores, memory }: Machine,
  limits: DividedLimits,
): { readonly count: number; readonly why: string } {
  const [[name, least]] = Object.entries(limits).sort(([, a], [, b]) => a - b);
  if (wanted !== "auto") {
    if (wanted > least) {
      throw new CommandError(
        `--workers ${wanted}: the workers divide ${name}, which is ${least}. Raise it, or use fewer.`,
      );
    }
    return { count: wanted, why: "as --workers says" };
  }
  const count = Math.max(1, Math.min(cores, Math.floor(memory / FOR_EACH), least));
  const gigabytes = (memory / 2 ** 30).toFixed(1);
  return { count, why: `${cores === 1 ? "1 core" : `${cores} cores`}, ${gigabytes} GB of memory` };
}
