/**
 * The memory of an isolate, which may be 128 MB on Cloudflare. Measured on workerd itself: the inspector reports the
 * live JS heap, buffers and WebAssembly memories again and again while requests run. The resident memory of the
 * process, which also includes workerd and garbage, is printed, too.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningWorkerd, startWorkerd } from "../../scripts/labeler/workerd.ts";
import { Inspector } from "../../scripts/measure/isolate-memory.ts";
import { residentMB } from "../../scripts/system/processes.ts";
import { amount } from "../amount.ts";
import { fixture, labelsOf, post, referenceFolder } from "./client.ts";

const ISOLATE_MB = 128;
/** Milliseconds. Generous, since the machine may be busy: a decoding that hangs would never end. */
const IN_TIME = 10_000;

let labeler: RunningWorkerd;
let inspector: Inspector;
let url: string;

/** Starts a labeler before the tests of a group. @param v8Flags Those of the labeler unless given. */
function useLabeler(v8Flags?: readonly string[]): void {
  beforeAll(async () => {
    // However slow the machine is: none shall be refused.
    labeler = await startWorkerd({ settings: { MAX_WAIT_MS: "60000" }, v8Flags });
    inspector = await Inspector.open(labeler.inspector);
    url = `${labeler.url}/label`;
  });
  afterAll(async () => {
    inspector?.close();
    await labeler?.stop();
  });
}

const coffee = fixture("coffee.png");

let asked = 0;

/** Each time another file, since the answer to one that comes again is not made anew. */
async function expectGoodLabel(): Promise<void> {
  const image = new Blob([coffee, `${asked++}`]);
  expect((await labelsOf(await post(url, image)))[0].label).toBe("968:espresso");
}

/** On a slow machine an upload may wait or arrive for too long: it comes again, as it is told to. */
async function postUntilTaken(image: BodyInit, to = url): Promise<Response> {
  for (;;) {
    const response = await post(to, image);
    if (response.status !== 503 && response.status !== 408) return response;
    await response.arrayBuffer();
    await new Promise((wake) => setTimeout(wake, 1000));
  }
}

/** Does something, and meanwhile looks at the memory. @returns The most that was seen, in MB. */
async function peakDuring(work: () => Promise<void>): Promise<{ isolate: number; process: number }> {
  let running = true;
  const peak = { isolate: 0, process: 0 };
  const look = async () => {
    const { heap, wasm } = await inspector.memory();
    peak.isolate = Math.max(peak.isolate, heap + wasm);
    peak.process = Math.max(peak.process, residentMB(labeler.pid));
  };
  const watcher = (async () => {
    while (running) await look();
  })();
  try {
    await work();
  } finally {
    running = false;
    await watcher;
  }
  await look();
  return peak;
}

const show = (what: string, { isolate, process }: { isolate: number; process: number }) =>
  console.log(`${what}: at most ${isolate.toFixed(1)} MB in the isolate, process ${process.toFixed(0)} MB`);

const FLAGS: [flags: string, v8Flags: readonly string[] | undefined][] = [
  ["V8's default flags, as on Cloudflare", []],
  ["the labeler's own", undefined],
];

describe.each(FLAGS)("with %s", (_, v8Flags) => {
  useLabeler(v8Flags);

  it("holds before anything is collected while JSONs of 14.8 MB come, four at once", async () => {
    let [heap, running] = [0, true];
    const watcher = (async () => {
      while (running) heap = Math.max(heap, await inspector.heap());
    })();
    const padded = new Uint8Array(11_100_000);
    padded.set(coffee);
    const json = JSON.stringify({ image: Buffer.from(padded).toString("base64") });
    try {
      for (let round = 0; round < 3; round++) {
        const answers = await Promise.all(Array.from({ length: 4 }, () => postUntilTaken(json)));
        for (const answer of answers) expect((await labelsOf(answer))[0].label).toBe("968:espresso");
      }
    } finally {
      running = false;
      await watcher;
    }
    const { wasm } = await inspector.memory();
    show("JSONs of 14.8 MB", { isolate: heap + wasm, process: residentMB(labeler.pid) });
    // Without garbage there is room for one, which MAX_FORM_BYTES allows, and for what its chunks leave behind.
    expect(heap + wasm).toBeLessThan(ISOLATE_MB - 32);
  });

  it.runIf(referenceFolder)(
    "eight photos of 24 megapixels at once are all labelled",
    async () => {
      const photo = new Uint8Array(readFileSync(join(referenceFolder ?? "", "corpus/large/24mp_prog.jpg")));
      const peak = await peakDuring(async () => {
        const answers = await Promise.all(Array.from({ length: 8 }, () => postUntilTaken(photo)));
        expect(new Set((await Promise.all(answers.map(labelsOf))).map(([best]) => best.label)).size).toBe(1);
      });
      show("eight of 24mp_prog.jpg", peak);
      expect(peak.isolate).toBeLessThan(ISOLATE_MB);
    },
    300_000,
  );
});

describe("with the labeler's own flags", () => {
  useLabeler();

  it("does not grow over requests", async () => {
    const requests = async (count: number) => {
      for (let i = 0; i < count; i++) await expectGoodLabel();
      const { heap, wasm } = await inspector.memory();
      return { isolate: heap + wasm, process: residentMB(labeler.pid) };
    };
    const before = await requests(10);
    const count = amount(200, 100);
    const after = await requests(count);
    show(`${count} requests`, after);
    expect(after.isolate - before.isolate).toBeLessThan(2);
    expect(after.process - before.process).toBeLessThan(10);
  });

  describe.runIf(referenceFolder)("hostile files", () => {
    const folder = join(referenceFolder ?? "", "corpus/hostile");

    it("each gets an answer in seconds, a label or a 4xx, and the next image its label", async () => {
      const peak = await peakDuring(async () => {
        for (const name of readdirSync(folder)) {
          const start = performance.now();
          const response = await post(url, new Uint8Array(readFileSync(join(folder, name))));
          const milliseconds = performance.now() - start;
          const text = await response.text();
          expect(response.status === 200 || (response.status >= 400 && response.status < 500), `${name}: ${text}`).toBe(
            true,
          );
          expect(milliseconds, name).toBeLessThan(IN_TIME);
          await expectGoodLabel();
        }
      });
      show("hostile files", peak);
      expect(peak.isolate).toBeLessThan(ISOLATE_MB);
    });
  });

  describe.runIf(referenceFolder)("photos of 24 megapixels", () => {
    const file = (name: string) => new Uint8Array(readFileSync(join(referenceFolder ?? "", "corpus/large", name)));

    it.each(["24mp_base.jpg", "12mp_prog.jpg", "12mp_lossy.webp", "12mp_pal.png"])(
      "eight of %s at once are all labelled",
      async (name) => {
        const photo = file(name);
        const peak = await peakDuring(async () => {
          const answers = await Promise.all(Array.from({ length: 8 }, () => postUntilTaken(photo)));
          const labels = await Promise.all(answers.map(labelsOf));
          expect(new Set(labels.map(([best]) => best.label)).size).toBe(1);
        });
        show(`eight of ${name}`, peak);
        expect(peak.isolate).toBeLessThan(ISOLATE_MB);
      },
    );
  });

  it("holds with every model in every precision, whichever is asked for next", async () => {
    const models = (await (await fetch(`${labeler.url}/models`)).json()) as { name: string; precisions: string[] }[];
    const all = models.flatMap(({ name, precisions }) => precisions.map((precision) => ({ name, precision })));
    expect(all.length).toBeGreaterThanOrEqual(5);
    const ask = async ({ name, precision }: { name: string; precision: string }) => {
      const [best] = await labelsOf(await postUntilTaken(coffee, `${url}?model=${name}&precision=${precision}`));
      expect(best.label).toBe("968:espresso");
    };
    let most = 0;
    const look = async () => {
      const { heap, wasm } = await inspector.memory();
      most = Math.max(most, heap + wasm);
    };
    for (let round = 0; round < amount(3, 2); round++) {
      for (const one of all) {
        await ask(one);
        await look();
      }
    }
    // Between requests, since what one has left to the garbage collector is counted until that has run.
    await Promise.all(all.map(ask));
    await look();
    show("every model in every precision", { isolate: most, process: residentMB(labeler.pid) });
    expect(most).toBeLessThan(ISOLATE_MB);
  });
});
