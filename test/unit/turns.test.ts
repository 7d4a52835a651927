/** Turns on the isolate's thread (worker/turns.ts): what may come between two pieces of work, without a look at the clock. */
import { expect, it } from "vitest";
import { inTurn, ran, turnToDecode, turnToInfer } from "../../worker/turns.ts";

/** Does something, and notes how often the event loop goes round meanwhile: "." each time. */
async function withRounds(work: (note: (what: string) => void) => Promise<unknown>): Promise<string> {
  let noted = "";
  let running = true;
  const rounds = (async () => {
    while (running) {
      await scheduler.wait(0);
      noted += ".";
    }
  })();
  await work((what) => (noted += what));
  running = false;
  await rounds;
  return noted;
}

/** As requests are, each in its own event. */
const together = (count: number, each: () => Promise<void>) =>
  Promise.all(Array.from({ length: count }, () => scheduler.wait(0).then(each)));

it("of inferences that wait for each other, each leaves the thread to everything else", async () => {
  const noted = await withRounds((note) =>
    together(8, async () => {
      await turnToInfer();
      note("I");
    }),
  );
  expect(noted.replaceAll(".", "")).toBe("IIIIIIII");
  for (const between of noted.split("I").slice(1, -1)) expect(between.length, noted).toBeGreaterThanOrEqual(4);
});

it("pieces that are decoded share a turn, and an inference begins early in one", async () => {
  const noted = await withRounds((note) =>
    together(12, async () => {
      await turnToDecode();
      note("D");
      ran(8);
      await turnToInfer();
      note("I");
    }),
  );
  expect(noted.replaceAll(/[.D]/g, "")).toBe("I".repeat(12));
  expect(noted.replaceAll(/[.I]/g, "")).toBe("D".repeat(12));
  const turns = noted.split(/\.+/);
  expect(turns).toContain("DDD"); // 24 ms
  for (const turn of turns) expect(turn, noted).toMatch(/^(D{0,3}|I)$/);
});

it("pieces that keep the thread for a moment alone do not wait", async () => {
  const noted = await withRounds(async (note) => {
    await turnToInfer();
    await turnToDecode(); // a new turn
    for (let i = 0; i < 20; i++) {
      await turnToDecode();
      note("D");
      ran(1);
    }
  });
  expect(noted).toContain("D".repeat(20));
});

it("an image that is alone is labelled in one go, and many of one request are not", async () => {
  const noted = await withRounds(async (note) => {
    await scheduler.wait(50);
    note("<");
    for (let i = 0; i < 8; i++) {
      await turnToDecode(true);
      ran(10);
      note("D");
      await turnToInfer(true);
      note("I");
    }
    note(">");
  });
  const [, during] = /<(.*)>/.exec(noted) ?? [];
  expect(during).toMatch(/^DI/);
  for (const turn of during.split(/\.{4,}/)) expect(turn.replaceAll(/[.D]/g, "").length, noted).toBeLessThanOrEqual(2);
});

it("who comes when no image was there for a while does not wait", async () => {
  const noted = await withRounds(async (note) => {
    await turnToInfer();
    note("I");
    await scheduler.wait(50);
    note("<");
    await turnToInfer();
    note("I>");
  });
  expect(noted).toContain("<I>");
});

it("what cannot be done piece by piece has a turn like any other, and counts even where it throws", async () => {
  const block = (milliseconds: number) => {
    for (const start = performance.now(); performance.now() - start < milliseconds; );
  };
  const noted = await withRounds((note) =>
    together(4, async () => {
      const done = inTurn(1 << 20, () => {
        note("J");
        block(25);
        throw new Error("no JSON");
      });
      await expect(done).rejects.toThrow("no JSON");
    }),
  );
  expect(noted.replaceAll(".", "")).toBe("JJJJ");
  for (const between of noted.split("J").slice(1, -1)) expect(between.length, noted).toBeGreaterThanOrEqual(4);
});
