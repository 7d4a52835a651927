/**
 * What teaching and taught models cost: times of the command, of the head's own arithmetic, and of a labeler on workerd.
 * Linux only, since it reads /proc.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chooseExamples } from "../../../worker/teaching/examples.ts";
import { Head, type HeadData } from "../../../worker/teaching/head.ts";
import { readHead, writeHead } from "../../../worker/teaching/head-file.ts";
import { denseSize } from "../../../worker/teaching/sample.ts";
import { teachHead } from "../../../worker/teaching/teach.ts";
import { CommandError } from "../../command-line/command.ts";
import { type RunningWorkerd, startWorkerd } from "../../labeler/workerd.ts";
import { Inspector } from "../../measure/isolate-memory.ts";
import { encodeJpeg, readPhoto } from "../rivals/encoders.js";
import type { SpeedRow } from "./goals.ts";
import { frameOf, resized, SeededRandom } from "./pictures.ts";

const PHOTOS = 500;
const MORE = 10;
/** 1 MP, 4:3. */
const [WIDTH, HEIGHT] = [1155, 866];
const LESSON = 300;
const SOURCES = ["coffee.png", "chelsea.png", "rocket.jpg", "china.jpg", "grace_hopper.jpg"] as const;
const REGIONS = 9;
/** How often the kinds of requests take turns, for small pictures and for large ones; and how often before, to warm up. */
const [ROUNDS, LARGE_ROUNDS, WARMING] = [300, 20, 30];

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Different photos; encoding one takes longer than teaching it. */
const DIFFERENT = 50;

/**
 * Makes photos of 1 MP. Those of one frame differ in what is behind the end of the JPEG, so that none of them is the same
 * file as another one.
 */
class Photos {
  readonly #frames: Uint8Array[] = [];

  static async make(): Promise<Photos> {
    const random = new SeededRandom(1);
    const photos = new Photos();
    const scenes = SOURCES.map((name) => resized(readPhoto(join("test/fixtures", name)), WIDTH, HEIGHT));
    for (let i = 0; i < DIFFERENT; i++)
      photos.#frames.push(await frameOf(scenes[i % scenes.length] as (typeof scenes)[number], random));
    return photos;
  }

  /** Puts photos into folders of two classes. */
  put(folder: string, from: number, count: number): void {
    for (let i = from; i < from + count; i++) {
      const label = i % SOURCES.length < 2 ? "one" : "other";
      mkdirSync(join(folder, label), { recursive: true });
      const frame = this.#frames[i % DIFFERENT] ?? new Uint8Array();
      writeFileSync(join(folder, label, `${i}.jpg`), new Uint8Array([...frame, i >> 8, i & 255]));
    }
  }
}

/** Runs npm run model -- teach. @returns Seconds. */
function timeTeaching(models: string, name: string, photos: string, base: string): Promise<number> {
  const start = performance.now();
  const args = ["scripts/run.mjs", "scripts/user/model.ts", "teach", name, photos, "--models", models, "--base", base];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      if (code === 0) resolve((performance.now() - start) / 1000);
      else reject(new CommandError(`npm run model -- teach ended with ${code}.`));
    });
  });
}

/** A lesson of some of a head's examples. */
function lessonOf(head: HeadData, count: number): HeadData {
  const places = Array.from({ length: count }, (_, i) => Math.floor((i * head.examples.count) / count));
  return {
    ...head,
    examples: chooseExamples(head.examples, places),
    classes: Uint16Array.from(places, (place) => head.classes[place] ?? 0),
    digests: new Uint8Array(32 * count),
  };
}

/** The processor time of this process so far, in milliseconds. */
function ownTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The milliseconds of what is repeated: the least of several rounds, since other programs only add to a time. */
function timeOf(work: () => void, repetitions: number, rounds: number): number {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = ownTime();
    for (let i = 0; i < repetitions; i++) work();
    times.push((ownTime() - start) / repetitions);
  }
  return Math.min(...times);
}

/** Training and prediction by themselves, in Node. */
function timeHead(head: HeadData): SpeedRow[] {
  const lesson = lessonOf(head, LESSON);
  const training = timeOf(() => teachHead(lesson), 1, 3);
  const asked = new Head(teachHead(lesson).head);
  const { layout, dense } = head.examples;
  const size = denseSize(layout);
  const kept = head.examples.classes.length / head.examples.count;
  const sample = {
    dense: Float64Array.from(dense.subarray(0, size), (value) => value / 127),
    classes: head.examples.classes.slice(0, kept),
    scores: Float64Array.from(head.examples.scores.subarray(0, kept), (value) => value / 127),
  };
  const prediction = timeOf(() => asked.scoreSample(sample), 50, 10);
  return [
    { what: `training a head with ${LESSON} photos`, value: training / 1000, unit: "s", most: 1 },
    { what: `a prediction with ${LESSON} examples`, value: prediction, unit: "ms", most: 2 },
  ];
}

/** The processor time of a process so far, in milliseconds. */
const processorTime = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`).reduce((sum, task) => {
    const [spent = "0"] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ");
    return sum + Number(spent) / 1e6;
  }, 0);

/** Asks a labeler; each body differs in what is behind the image, so that no answer is a cached one. */
class Caller {
  readonly #server: RunningWorkerd;
  #sent = 0;

  constructor(server: RunningWorkerd) {
    this.#server = server;
  }

  async ask(query: string, image: Uint8Array): Promise<void> {
    const body = new Uint8Array(image.length + 8);
    body.set(image);
    new DataView(body.buffer).setUint32(image.length, ++this.#sent);
    const response = await fetch(`${this.#server.url}/label?${query}`, { method: "POST", body });
    if (!response.ok) throw new CommandError(`${query}: ${await response.text()}`);
    await response.arrayBuffer();
  }

  /**
   * The processor time of a request of each kind, in milliseconds: [kinds, rounds]. The kinds take turns, so that what else
   * the machine does disturbs all alike; every other round goes backwards.
   */
  async times(kinds: readonly (readonly [query: string, image: Uint8Array])[], rounds: number): Promise<number[][]> {
    const times = kinds.map((): number[] => []);
    for (let round = -WARMING; round < rounds; round++) {
      const order = [...kinds.entries()];
      for (const [at, [query, image]] of round % 2 === 0 ? order : order.reverse()) {
        const start = processorTime(this.#server.pid);
        await this.ask(query, image);
        if (round >= 0) times[at]?.push(processorTime(this.#server.pid) - start);
      }
    }
    return times;
  }
}

/** Folders of models that derive from a base: taught ones, and one with regions. */
function deriveModels(models: string, base: string, head: HeadData): void {
  const derive = (name: string, spec: object, file?: Uint8Array) => {
    mkdirSync(join(models, name), { recursive: true });
    if (file !== undefined) writeFileSync(join(models, name, "head.bin"), file);
    writeFileSync(join(models, name, "model.json"), JSON.stringify({ base, crop: "squash", ...spec }));
  };
  derive("taught", { head: "head.bin" }, writeHead(teachHead(lessonOf(head, LESSON)).head));
  derive("plain", {});
  for (const i of [1, 2, 3])
    derive(`gate${i}`, { head: "head.bin" }, writeHead(teachHead(lessonOf(head, 20 * i)).head));
}

const nineRegions = Array.from({ length: REGIONS }, (_, i) => {
  const [x, y] = [i % 3, Math.floor(i / 3)];
  const at = (part: number) => (part / 3).toFixed(4);
  return `region=r${i}:${at(x)},${at(y)},${at(x + 1)},${at(y + 1)}`;
}).join("&");

async function timeLabeler(models: string, head: HeadData): Promise<SpeedRow[]> {
  const photo = readPhoto("test/fixtures/rocket.jpg");
  const small = await encodeJpeg(resized(photo, 64, 64), { quality: 80, progressive: false });
  const large = await encodeJpeg(resized(photo, 4000, 3000), { quality: 85, progressive: false });
  const server = await startWorkerd({ models, settings: { DEFAULT_MODEL: "plain" } });
  try {
    const caller = new Caller(server);
    const [plain = [], taught = []] = await caller.times(
      [
        ["model=plain", small],
        ["model=taught", small],
      ],
      ROUNDS,
    );
    const [nine = 0, one = 0, alone = 0] = (
      await caller.times(
        [
          [`model=plain&${nineRegions}`, large],
          ["model=plain", large],
          ["model=plain", small],
        ],
        LARGE_ROUNDS,
      )
    ).map(median);
    const inspector = await Inspector.open(server.inspector);
    const total = async () => {
      const { heap, wasm } = await inspector.memory();
      return heap + wasm;
    };
    const names = ["gate1", "gate2", "gate3"];
    const before = await total();
    for (const name of names) await caller.ask(`model=${name}`, small);
    const after = await total();
    inspector.close();
    const examples = [20, 40, 60].reduce(
      (sum, count) => sum + writeHead(teachHead(lessonOf(head, count)).head).length / 2 ** 20,
      0,
    );
    return [
      {
        what: `an answer of a taught model (${LESSON} examples) beyond its base's`,
        value: median(taught.map((time, round) => time - (plain[round] ?? 0))),
        unit: "ms",
        most: 2,
      },
      {
        what: "three models on one base, beyond the bytes of their heads",
        value: after - before - examples,
        unit: "MB",
        most: 1,
      },
      {
        what: "nine regions of a 12 MP JPEG, × (decoding + 9 inferences)",
        value: nine / (one + (REGIONS - 1) * alone),
        unit: "×",
        most: 1.15,
      },
    ];
  } finally {
    await server.stop();
  }
}

/** @param base The name of the base in `models`. */
export async function measureSpeed(models: string, base: string): Promise<SpeedRow[]> {
  const root = mkdtempSync(join(tmpdir(), "edge-labeler-bench-teach-"));
  const own = join(root, "models");
  try {
    cpSync(join(models, base), join(own, base), { recursive: true });
    const photos = join(root, "photos");
    const made = await Photos.make();
    made.put(photos, 0, PHOTOS);
    const first = await timeTeaching(own, "many", photos, base);
    made.put(photos, PHOTOS, MORE);
    const again = await timeTeaching(own, "many", photos, base);
    const head = readHead(new Uint8Array(readFileSync(join(own, "many", "head.bin"))));
    deriveModels(own, base, head);
    return [
      { what: `teaching ${PHOTOS} photos of 1 MP`, value: first, unit: "s", most: 60 },
      { what: `again with ${MORE} more`, value: again, unit: "s", most: 3 },
      ...timeHead(head),
      ...(await timeLabeler(own, head)),
    ];
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
