/** What the operating system (Linux) says of the processes that a script has started. */
import { readdirSync, readFileSync } from "node:fs";

const field = (status: string, name: string) => status.match(new RegExp(`^${name}:\\s*(\\S+)`, "m"))?.[1];

/** The workerd processes below this one, by process id. */
export function workerdProcesses(): number[] {
  const parents = new Map<number, { parent: number; name: string }>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const status = readFileSync(`/proc/${entry}/status`, "utf8");
      parents.set(Number(entry), { parent: Number(field(status, "PPid")), name: field(status, "Name") ?? "" });
    } catch {
      // It ended between the listing and the reading.
    }
  }
  const below = (pid: number | undefined): boolean =>
    pid !== undefined && pid !== 0 && (pid === process.pid || below(parents.get(pid)?.parent));
  return [...parents].filter(([pid, { name }]) => name === "workerd" && below(pid)).map(([pid]) => pid);
}

/** Resident memory of a process, in MB. */
export function residentMB(pid: number): number {
  return Number(field(readFileSync(`/proc/${pid}/status`, "utf8"), "VmRSS")) / 1024;
}

/** Processor time that a process has used, user and system, in ms; the clock has steps of 10 ms. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
