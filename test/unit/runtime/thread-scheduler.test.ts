/**
 * The order in which requests use the isolate's thread (worker/runtime/thread-scheduler.ts), by a clock that the tests
 * move.
 */
import { describe, expect, it } from "vitest";
import type { Parts } from "../../../worker/runtime/parts.ts";
import { type Share, ThreadScheduler } from "../../../worker/runtime/thread-scheduler.ts";
import { ManualClock, settled } from "./manual-clock.ts";

/** A request that does units of work, one after the other, each noted by its name. */
class Requests {
  readonly clock = new ManualClock();
  readonly scheduler = new ThreadScheduler(this.clock);
  served = "";

  /** @param units The weight of each unit of work, which takes as long by the clock unless `takes` says otherwise. */
  async send(
    name: string,
    units: readonly number[],
    { bulk = false, takes }: { bulk?: boolean; takes?: number } = {},
  ): Promise<void> {
    const share = this.scheduler.begin();
    share.bulk = bulk;
    for (const weight of units) {
      await this.scheduler.run(share, weight, () => {
        this.clock.compute(takes ?? weight);
        this.served += name;
      });
    }
    this.scheduler.end(share);
  }
}

const repeated = (units: number, times: number): number[] => Array(times).fill(units);

describe("a request that is alone", () => {
  it("goes on without a round of the event loop as long as a probe can wait", async () => {
    const requests = new Requests();
    await requests.send("a", [4, 4, 21]);
    await requests.send("b", [4, 4, 21]);
    await requests.send("c", [4, 4, 21]);
    expect(requests.served).toBe("aaabbbccc");
    expect(requests.clock.rounds).toBe(0);
  });

  it("leaves the thread to probes when it goes on for longer", async () => {
    const requests = new Requests();
    await requests.send("a", repeated(21, 30));
    // Two inferences, or 42 ms, between two breaths of two rounds each.
    expect(requests.clock.rounds).toBe(2 * 14);
  });

  it("lets the event loop go round again while requests begin", async () => {
    const requests = new Requests();
    const { clock, scheduler } = requests;
    const begin = () => scheduler.end(scheduler.begin());
    clock.arrivals = [() => undefined, begin, begin, begin, begin, begin];
    await requests.send("a", [60, 21]);
    expect(clock.rounds).toBe(5);
  });

  it("does so where the clock stands still during work, too: units count", async () => {
    const requests = new Requests();
    await requests.send("a", repeated(21, 30), { takes: 0 });
    expect(requests.clock.rounds).toBe(2 * 14);
  });

  it("needs no more rounds than its work by the clock does, however much was estimated", async () => {
    const requests = new Requests();
    await requests.send("a", repeated(6, 100), { takes: 1 });
    expect(requests.clock.rounds).toBe(2 * 1);
  });

  it("does so where work takes longer than was said", async () => {
    const requests = new Requests();
    await requests.send("a", repeated(1, 10), { takes: 100 });
    expect(requests.clock.rounds).toBe(2 * 9);
  });
});

describe("several requests", () => {
  it("take turns, the oldest first within a round", async () => {
    const requests = new Requests();
    await Promise.all(["a", "b", "c"].map((name) => requests.send(name, repeated(30, 4))));
    expect(requests.served).toBe("abcabcabcabc");
  });

  it("share what may run between two rounds of the event loop", async () => {
    const requests = new Requests();
    await Promise.all(["a", "b", "c"].map((name) => requests.send(name, repeated(8, 6))));
    const counts = (text: string) =>
      ["a", "b", "c"].map((name) => text.replaceAll(new RegExp(`[^${name}]`, "g"), "").length);
    for (const count of counts(requests.served.slice(0, 12))) expect(count).toBeGreaterThanOrEqual(3);
    expect(counts(requests.served)).toEqual([6, 6, 6]);
    expect(requests.clock.rounds).toBe(2 * 8);
  });

  it("do not wait for a request that has begun before them and goes on and on", async () => {
    const requests = new Requests();
    const bulk = requests.send("B", repeated(25, 90), { bulk: true });
    requests.clock.arrivals = [() => void requests.send("s", [5, 5, 21])];
    await bulk;
    const first = requests.served.indexOf("s");
    // A turn of the bulk between each two of its own, at most.
    expect(requests.served.slice(first)).toMatch(/^sB?sB?s/);
  });

  it("have the same time, however large their units of work are", async () => {
    const requests = new Requests();
    const { scheduler, clock } = requests;
    const times = new Map<string, number>();
    const work = async (name: string, units: number) => {
      const share = scheduler.begin();
      for (let done = 0; done < 1200; done += units) {
        await scheduler.run(share, units, () => {
          clock.compute(units);
          // While both are there.
          if (done < 600) times.set(name, (times.get(name) ?? 0) + units);
        });
        if (name === "large" && done >= 540) expect(times.get("small")).toBeGreaterThan(500);
      }
    };
    await Promise.all([work("small", 6), work("large", 60)]);
  });

  it("with much work, however many, leave one with little work its part of the thread", async () => {
    const requests = new Requests();
    const bulk = Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(() => requests.send("B", repeated(6, 100), { bulk: true })));
    for (let i = 0; i < 20; i++) await requests.clock.round();
    const before = requests.served.length;
    await requests.send("s", repeated(6, 100));
    const others = requests.served.slice(before).replaceAll("s", "").length;
    // Three quarters of the thread.
    expect(others).toBeGreaterThan(220);
    expect(others).toBeLessThan(360);
    await bulk;
  });

  it("with little work, one after the other, leave one with much work its part of the thread", async () => {
    const requests = new Requests();
    const bulk = requests.send("B", repeated(6, 400), { bulk: true });
    let running = true;
    const stream = (async () => {
      while (running) await requests.send("s", [5, 40]);
    })();
    await bulk;
    running = false;
    await stream;
    const small = (requests.served.replaceAll("B", "").length / 2) * 45;
    // 2,400 ms of the bulk are three quarters of the thread.
    expect(small).toBeGreaterThan(600);
    expect(small).toBeLessThan(1100);
  });

  it("that come later get no more than their turn, however long they have not wanted the thread", async () => {
    const requests = new Requests();
    const { scheduler, clock } = requests;
    const idle = scheduler.begin();
    await scheduler.run(idle, 30, () => undefined);
    const others = Promise.all(["a", "b"].map((name) => requests.send(name, repeated(30, 8))));
    await clock.round();
    await clock.round();
    let gone = 0;
    const late = (async () => {
      for (; gone < 4; gone++) {
        await scheduler.run(idle, 30, () => {
          clock.compute(30);
          requests.served += "i";
        });
      }
    })();
    await Promise.all([others, late]);
    expect(requests.served).not.toContain("ii");
  });

  it("are told how long they waited", async () => {
    const { clock, scheduler } = new Requests();
    const waits: number[] = [];
    const work = async (share: Share) => {
      await scheduler.run(share, 40, () => clock.compute(40));
      scheduler.end(share);
    };
    await Promise.all([1, 2, 3].map(() => work(scheduler.begin(undefined, (ms) => waits.push(ms)))));
    expect(waits).toEqual([0, 40]);
    expect(scheduler.waiting).toBe(0);
  });

  it("go on when work throws", async () => {
    const { scheduler } = new Requests();
    const fails = async () => {
      const share = scheduler.begin();
      await scheduler.run(share, 40, () => {
        throw new RangeError("mine");
      });
    };
    const outcomes = await Promise.allSettled([fails(), fails(), fails()]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(scheduler.waiting).toBe(0);
  });
});

describe("work in parts", () => {
  /** An inference of so many parts, each of which takes as long as the first argument says. */
  function* parts(requests: Requests, name: string, milliseconds: number, count: number): Parts<string> {
    for (let i = 0; i < count; i++) {
      if (i > 0) yield;
      requests.clock.compute(milliseconds);
      requests.served += name;
    }
    return `${name}!`;
  }

  const sendParts = async (requests: Requests, name: string, milliseconds: number, count: number) => {
    const share = requests.scheduler.begin();
    const result = await requests.scheduler.runInParts(share, 21, () => parts(requests, name, milliseconds, count));
    requests.scheduler.end(share);
    return result;
  };

  it("goes on without a round of the event loop as long as a probe can wait", async () => {
    const requests = new Requests();
    expect(await sendParts(requests, "a", 2, 20)).toBe("a!");
    expect(requests.clock.rounds).toBe(0);
  });

  it("lets the event loop go round where a slow machine takes longer", async () => {
    const requests = new Requests();
    await sendParts(requests, "a", 10, 20);
    // After 60 of its 200 ms, each time.
    expect(requests.clock.rounds).toBe(2 * 3);
  });

  it("has the thread to itself from its beginning to its end", async () => {
    const requests = new Requests();
    const first = sendParts(requests, "a", 10, 20);
    await Promise.all([first, sendParts(requests, "b", 10, 5), requests.send("s", [5, 5])]);
    expect(requests.served).toMatch(/^a{20}(b{5}ss|sb{5}s|ssb{5}|s?b{5}s*)$/);
  });

  it("counts as its units where the clock stands still, however many parts it has", async () => {
    const requests = new Requests();
    const share = requests.scheduler.begin();
    for (let i = 0; i < 10; i++) {
      await requests.scheduler.runInParts(share, 21, () => parts(requests, "a", 0, 20));
    }
    // Two of 21, or 42 ms, between two breaths.
    expect(requests.clock.rounds).toBe(2 * 4);
  });

  it("begins anew where another request was given its turn meanwhile", async () => {
    const requests = new Requests();
    const { clock } = requests;
    let other: Promise<void> | undefined;
    // The event loop is held up for so long that the request seems to have ended.
    clock.arrivals = [
      () => {
        clock.compute(400);
        other = requests.send("o", [5]);
      },
    ];
    expect(await sendParts(requests, "a", 10, 8)).toBe("a!");
    await other;
    expect(requests.served.replace("o", "")).toBe("a".repeat(6 + 8));
    expect(requests.served).toMatch(/^aaaaaa.*o/);
    expect(requests.scheduler.waiting).toBe(0);
  });

  it("stops when its client goes, and leaves the thread to others", async () => {
    const requests = new Requests();
    const { clock, scheduler } = requests;
    const gone = new AbortController();
    const share = scheduler.begin(gone.signal);
    clock.arrivals = [() => gone.abort()];
    const inference = scheduler.runInParts(share, 21, () => parts(requests, "a", 10, 20));
    await expect(inference).rejects.toMatchObject({ kind: "cut-off" });
    expect(requests.served).toBe("aaaaaa");
    await requests.send("o", [5]);
    expect(requests.served).toBe("aaaaaao");
    expect(scheduler.waiting).toBe(0);
  });

  it("passes on what it throws", async () => {
    const { scheduler } = new Requests();
    const share = scheduler.begin();
    // biome-ignore lint/correctness/useYield: it throws in its first part
    const fails = scheduler.runInParts(share, 21, function* () {
      throw new RangeError("mine");
    });
    await expect(fails).rejects.toThrow(RangeError);
    expect(scheduler.waiting).toBe(0);
  });
});

it("gives the turn on where work in parts throws before its first part", async () => {
  const requests = new Requests();
  const share = requests.scheduler.begin();
  const fails = requests.scheduler.runInParts(share, 21, () => {
    throw new RangeError("mine");
  });
  await expect(fails).rejects.toThrow(RangeError);
  expect(requests.scheduler.waiting).toBe(0);
});

describe("a request whose client has gone", () => {
  it("leaves its turn to the next one at once", async () => {
    const requests = new Requests();
    const { scheduler } = requests;
    const gone = new AbortController();
    const share = scheduler.begin(gone.signal);
    await scheduler.run(share, 40, () => undefined);
    const turn = scheduler.run(share, 40, () => {
      requests.served += "g";
    });
    const other = requests.send("o", [40]);
    gone.abort();
    await expect(turn).rejects.toMatchObject({ kind: "cut-off" });
    await other;
    expect(requests.served).toBe("o");
    await expect(scheduler.run(share, 1, () => undefined)).rejects.toMatchObject({ kind: "cut-off" });
  });

  it("is passed over, and then forgotten, where nobody was told that it has ended", async () => {
    // Its code simply stops: its timers never come back, and what it would do next does not happen.
    const requests = new Requests();
    const { scheduler, clock } = requests;
    const share = scheduler.begin();
    await scheduler.run(share, 40, () => undefined);
    const stopped: Promise<void> = new Promise(() => undefined);
    let rounds = 0;
    const { round } = ManualClock.prototype;
    clock.round = () => (rounds++ === 0 ? stopped : round.call(clock));
    void scheduler.run(share, 40, () => {
      requests.served += "never";
    });
    await settled();
    const other = requests.send("o", [40]);
    await settled();
    expect(requests.served).toBe("");
    await clock.pass(400);
    await other;
    expect(requests.served).toBe("o");
    await clock.pass(2000);
    await requests.send("p", [1]);
    expect(scheduler.waiting).toBe(0);
  });
});

it("serves requests in workerd's own event loop, each with its own timers", async () => {
  const scheduler = new ThreadScheduler();
  const served: string[] = [];
  let rounds = 0;
  let running = true;
  const probe = (async () => {
    for (; running; rounds++) await oneRound();
  })();
  await Promise.all(
    ["a", "b", "c"].map(async (name) => {
      const share = scheduler.begin();
      for (let i = 0; i < 5; i++) {
        await scheduler.run(share, 30, () => {
          served.push(name);
          for (const end = performance.now() + 30; performance.now() < end; );
        });
      }
      scheduler.end(share);
    }),
  );
  running = false;
  await probe;
  // By the time that each has used, and time is what the machine makes of it.
  expect(served.toSorted().join("")).toBe("aaaaabbbbbccccc");
  expect(served.join("")).toMatch(/^abc/);
  expect(rounds).toBeGreaterThanOrEqual(10);
});

const oneRound = () => scheduler.wait(0);
