/** What the operating system (Linux) says of the processes that a script has started. */
import { readFileSync } from "node:fs";

const field = (status: string, name: string) => status.match(new RegExp(`^${name}:\\s*(\\S+)`, "m"))?.[1];

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
