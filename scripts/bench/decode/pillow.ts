/** Pillow with one file, in a Python of its own: what the labeler's pixels are compared with, and not in workerd. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Sample, stopChild } from "../../labeler/worker-process.ts";
import { preciseCpuMs, residentMB } from "../../system/processes.ts";
import { PILLOW, pythonPrograms } from "../../system/python.ts";
import { type FirstDecode, type Measured, peakMB, resetPeak } from "./cell.ts";

const PROGRAM = "scripts/bench/decode/pillow.py";
const MB = 1 << 20;

interface Decoded {
  readonly ms: number;
  readonly width: number;
  readonly height: number;
  readonly mean: number;
}

/** Starts Pillow. @param path Of the file. @throws NoPython where there is no Python that can install it. */
export async function startPillow(path: string): Promise<Measured> {
  const python = join(pythonPrograms("pillow", [PILLOW]), "python");
  const child = spawn(python, [PROGRAM, path], { stdio: ["pipe", "pipe", "inherit"] });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  const pid = child.pid ?? 0;
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const answer = async (): Promise<Decoded> => {
    const { value, done } = await lines.next();
    if (done) throw new Error("Python ended");
    return JSON.parse(value);
  };
  const decode = (repeat: number) => {
    child.stdin.write(`${repeat}\n`);
    return answer();
  };
  await answer();
  return {
    async first(): Promise<FirstDecode> {
      const before = residentMB(pid);
      resetPeak(pid);
      const { width, height, mean } = await decode(1);
      const residentBytes = Math.round((peakMB(pid) - before) * MB);
      return { width, height, mean, outputBytes: 224 * 224 * 3, wasmBytes: 0, residentBytes };
    },
    async sample(repeat: number): Promise<Sample> {
      const before = preciseCpuMs(pid);
      const { ms } = await decode(repeat);
      return { cpu: (preciseCpuMs(pid) - before) / repeat, wall: ms };
    },
    stop: () => stopChild(child),
  };
}
