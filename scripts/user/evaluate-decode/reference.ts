/**
 * Runs Pillow and native TensorFlow Lite in a process of their own, which a hostile file may stop, terminate or fill.
 */
import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { NoPython } from "../../system/python.ts";

const PROGRAM = "scripts/user/evaluate-decode/reference.py";

/** How a file becomes a model's input: the DecodeOptions of worker/image/decode.ts that fit into JSON. */
export interface InputTask {
  readonly width: number;
  readonly height: number;
  readonly crop: "squash" | "center";
  readonly exif: "apply" | "ignore";
  readonly maxPixels: number;
}

/** The parameters of reference.py for every file. */
export interface Task extends InputTask {
  /**
   * The path of the network; null if TensorFlow Lite cannot take pixels in the form in which the labeler submits them.
   */
  readonly model: string | null;
  readonly normalization: { readonly mean: readonly number[]; readonly std: readonly number[] } | null;
  /** Whether the network expects planes: all of red, then green, then blue. */
  readonly planes: boolean;
  readonly logits: boolean;
  /** The number of classes. */
  readonly labels: number;
}

export interface Versions {
  readonly pillow: string;
  /** The module that has the interpreter; null if this Python does not have it. */
  readonly tflite: string | null;
}

export interface Reference {
  readonly format: string;
  /** Pillow's mode: "RGB", "I;16", … */
  readonly mode: string;
  /** Why Pillow did not reach the end of the file, if it did not; its pixels are those before that point. */
  readonly partial: string | null;
  /** [height, width, 3], 0..255. */
  readonly pixels: Uint8Array;
  /** The confidences of the classes, in their order; absent without TensorFlow Lite. */
  readonly confidences?: readonly number[];
}

export type ReferenceAnswer = Reference | { readonly error: string };

type Child = ChildProcessByStdio<Writable, Readable, null>;
type Line = Omit<Reference, "pixels"> & { readonly pixels: string };

/** @returns Why this Python cannot be used; undefined if it can. */
export function whyNoReference(python: string): string | undefined {
  const { status, error, stderr } = spawnSync(python, ["-c", "import PIL, numpy"], { encoding: "utf8" });
  if (error !== undefined) return `${python} cannot be run: ${error.message}`;
  return status === 0 ? undefined : `${python}: ${stderr.trim().split("\n").at(-1)}`;
}

export class ReferenceProcess {
  readonly #python: string;
  readonly #task: Task;
  readonly #timeoutMs: number;
  #child: Child | undefined;
  #lines: AsyncIterator<string> | undefined;

  /** @param timeoutMs How long one file may take. */
  constructor(python: string, task: Task, timeoutMs: number) {
    this.#python = python;
    this.#task = task;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws NoPython if the program does not start. */
  async start(): Promise<Versions> {
    const child = spawn(this.#python, [PROGRAM, JSON.stringify(this.#task)], { stdio: ["pipe", "pipe", "ignore"] });
    child.stdin.on("error", () => undefined); // It has ended, as the end of its output shows.
    child.on("error", () => undefined);
    process.once("exit", () => child.kill("SIGKILL"));
    this.#child = child;
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const { value, done } = await this.#lines.next();
    if (done) throw new NoPython(`${this.#python} ${PROGRAM} does not start.`);
    return JSON.parse(value);
  }

  /** Decodes a file and labels it. Restarts the program after a file that terminated it. */
  async ask(path: Buffer): Promise<ReferenceAnswer> {
    if (this.#child === undefined) await this.start();
    const child = this.#child as Child;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, this.#timeoutMs);
    child.stdin.write(`${path.toString("base64")}\n`);
    const { value, done } = (await this.#lines?.next()) ?? { done: true };
    clearTimeout(timer);
    if (done || late) {
      await this.stop();
      return {
        error: late
          ? `no answer within ${this.#timeoutMs / 1000} s`
          : `Python ended (${child.signalCode ?? child.exitCode})`,
      };
    }
    let answer: Line | { readonly error: string };
    try {
      answer = JSON.parse(value);
    } catch {
      await this.stop();
      return { error: "Python's answer is not JSON" };
    }
    return "error" in answer ? answer : { ...answer, pixels: Buffer.from(answer.pixels, "base64") };
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }
}
