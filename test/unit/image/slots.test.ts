/** The semaphore of the decoders (worker/slots.ts), with times short enough to wait for. */
import { describe, expect, it } from "vitest";
import { LabelerError } from "../../../worker/errors.ts";
import { Slots } from "../../../worker/slots.ts";

const slots = (options: { count?: number; lease?: number; patience?: number } = {}) =>
  new Slots({ count: 1, lease: 10_000, patience: 10_000, what: "testing", ...options });

const refused = async (work: () => unknown): Promise<LabelerError> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof LabelerError) return error;
    throw error;
  }
  throw new Error("it was not refused");
};

describe("a slot", () => {
  it("is given at once while there are any", async () => {
    const three = slots({ count: 3, patience: 0 });
    for (let i = 0; i < 3; i++) await three.acquire();
    expect((await refused(() => three.acquire())).kind).toBe("busy");
  });

  it("is waited for until one is released", async () => {
    const one = slots();
    const first = await one.acquire();
    const order: string[] = [];
    const second = one.acquire().then((lease) => {
      order.push("acquired");
      return lease;
    });
    await scheduler.wait(30);
    order.push("released");
    first.release();
    (await second).release();
    expect(order).toEqual(["released", "acquired"]);
  });

  it("is refused as busy when none becomes free in time", async () => {
    const one = slots({ patience: 40 });
    await one.acquire();
    const start = Date.now();
    const error = await refused(() => one.acquire());
    expect(Date.now() - start).toBeGreaterThanOrEqual(40);
    expect(error).toMatchObject({ kind: "busy", status: 503 });
    expect(error.message).toBe("All slots for testing were taken for 40 ms. Try again.");
  });

  it("is given away when it is not renewed, and its holder learns of that", async () => {
    const one = slots({ lease: 30 });
    const lost = await one.acquire();
    const next = await one.acquire(); // waits until the lease is over
    const error = await refused(() => lost.renew());
    expect(error).toMatchObject({ kind: "too-slow", status: 408 });
    expect(error.message).toBe("The body stood still for 30 ms, too long to keep a slot for testing.");
    next.renew();
  });

  it("is not freed by the holder who lost it", async () => {
    const one = slots({ lease: 200, patience: 0 });
    const lost = await one.acquire();
    await scheduler.wait(220);
    await one.acquire();
    lost.release();
    expect((await refused(() => one.acquire())).kind).toBe("busy");
  });

  it("is kept as long as it is renewed", async () => {
    const one = slots({ lease: 200, patience: 0 });
    const kept = await one.acquire();
    for (let i = 0; i < 6; i++) {
      await scheduler.wait(50);
      kept.renew();
      expect((await refused(() => one.acquire())).kind).toBe("busy");
    }
    kept.release();
    await one.acquire();
  });

  it("may be renewed late if nobody wanted it", async () => {
    const one = slots({ lease: 10, patience: 0 });
    const late = await one.acquire();
    await scheduler.wait(30);
    late.renew();
    expect((await refused(() => one.acquire())).kind).toBe("busy");
  });

  it("may be released twice", async () => {
    const two = slots({ count: 2, patience: 0 });
    const first = await two.acquire();
    await two.acquire();
    first.release();
    first.release();
    await two.acquire();
    expect((await refused(() => two.acquire())).kind).toBe("busy");
  });

  it("is had in the order of coming", async () => {
    const one = slots();
    const first = await one.acquire();
    const order: number[] = [];
    const others = Array.from({ length: 5 }, async (_, i) => {
      const lease = await one.acquire();
      order.push(i);
      await scheduler.wait(1);
      lease.release();
    });
    await scheduler.wait(20);
    expect(one.waiting).toBe(5);
    first.release();
    await Promise.all(others);
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect([one.waiting, one.taken]).toEqual([0, 0]);
  });

  it("is refused at once when too many wait already", async () => {
    const one = new Slots({ count: 1, lease: 10_000, patience: 10_000, line: 2, what: "testing" });
    const first = await one.acquire();
    const waiting = [one.acquire(), one.acquire()];
    const error = await refused(() => one.acquire());
    expect(error).toMatchObject({ kind: "busy", retryAfter: 1 });
    expect(error.message).toBe("2 wait for testing already. Try again.");
    first.release();
    for (const lease of waiting) (await lease).release();
  });

  it("may weigh more than another, and what is light does not overtake what is heavy", async () => {
    const bytes = slots({ count: 100 });
    const heavy = await bytes.acquire(70);
    const light = await bytes.acquire(30);
    const order: string[] = [];
    const second = bytes.acquire(60).then((lease) => order.push("60") && lease);
    const third = bytes.acquire(10).then((lease) => order.push("10") && lease);
    light.release();
    await scheduler.wait(60);
    expect(order).toEqual([]);
    heavy.release();
    await Promise.all([second, third]);
    expect(order).toEqual(["60", "10"]);
    expect(bytes.taken).toBe(70);
  });

  it("that is heavier than all there is takes all there is", async () => {
    const bytes = slots({ count: 100, patience: 0 });
    const lease = await bytes.acquire(1000);
    expect((await refused(() => bytes.acquire(1))).kind).toBe("busy");
    lease.release();
    await bytes.acquire(1);
  });

  it("is had by all in turn when there are more than slots", async () => {
    const two = slots({ count: 2 });
    let holding = 0;
    let most = 0;
    const use = async () => {
      const lease = await two.acquire();
      most = Math.max(most, ++holding);
      await scheduler.wait(3);
      holding--;
      lease.release();
    };
    await Promise.all(Array.from({ length: 12 }, use));
    expect(most).toBe(2);
  });
});
