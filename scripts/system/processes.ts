/** What the operating system (Linux) reports about a process. */
import { readdirSync, readFileSync } from "node:fs";

const field = (status: string, name: string) => status.match(new RegExp(`^${name}:\\s*(\\S+)`, "m"))?.[1];

/** The resident memory of a process, in MB. */
export function residentMB(pid: number): number {
  return Number(field(readFileSync(`/proc/${pid}/status`, "utf8"), "VmRSS")) / 1024;
}

/** The resident memory of a process, in MB, without the contents of files. */
export function anonymousMB(pid: number): number {
  return Number(field(readFileSync(`/proc/${pid}/status`, "utf8"), "RssAnon")) / 1024;
}

/** The processor time that a process has used, user and system, in ms, in steps of 10 ms. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/**
 * The processor time of all threads of a process in ms; precise to the nanosecond if the kernel keeps such statistics.
 */
export function preciseCpuMs(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const times = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    return times.reduce((sum, time) => sum + Number(time), 0) / 1e6;
  } catch {
    return cpuMs(pid);
  }
}

/** A process and all that descend from it. */
export function processTree(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const tree = [root];
  for (const pid of tree) for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  return tree;
}

/** Proportional memory of a process in MB: its own, and its share of what it has in common with others. */
export function proportionalMB(pid: number): number {
  return Number(field(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"), "Pss")) / 1024;
}
