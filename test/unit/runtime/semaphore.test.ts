/** Semaphores (worker/runtime/semaphore.ts), by a clock that the tests move. */
import { describe, expect, it } from "vitest";
import type { LabelerError } from "../../../worker/errors.ts";
import { Reception } from "../../../worker/runtime/reception.ts";
import {
  type AcquireOptions,
  type Lease,
  Semaphore,
  type SemaphoreOptions,
} from "../../../worker/runtime/semaphore.ts";
import { ManualClock, settled } from "./manual-clock.ts";

const make = (options: Partial<SemaphoreOptions> = {}) => {
  const clock = new ManualClock();
  return { clock, slots: new Semaphore({ capacity: 1, patience: 10_000, resource: "seats", clock, ...options }) };
};

/** Asks for a part and notes when it is there. */
class Requests {
  served = "";
  readonly leases = new Map<string, Lease>();
  readonly #slots: Semaphore;

  constructor(slots: Semaphore) {
    this.#slots = slots;
  }

  ask(name: string, options: AcquireOptions = {}): Promise<LabelerError | undefined> {
    return this.#slots.acquire(options).then(
      (lease) => {
        this.served += name;
        this.leases.set(name, lease);
        return undefined;
      },
      (error: LabelerError) => error,
    );
  }

  async release(name: string): Promise<void> {
    this.leases.get(name)?.release();
    await settled();
  }
}

describe("a part", () => {
  it("is had at once while there is any", async () => {
    const { slots } = make({ capacity: 3 });
    for (let i = 0; i < 3; i++) await slots.acquire();
    expect(slots.taken).toBe(3);
  });

  it("is waited for until one is released, in the order of coming", async () => {
    const { slots } = make();
    const requests = new Requests(slots);
    for (const name of ["a", "b", "c"]) void requests.ask(name);
    await settled();
    expect([requests.served, slots.waiting]).toEqual(["a", 2]);
    await requests.release("a");
    expect(requests.served).toBe("ab");
    await requests.release("b");
    expect([requests.served, slots.waiting, slots.taken]).toEqual(["abc", 0, 1]);
  });

  it("is refused as busy when none becomes free in time", async () => {
    const { slots, clock } = make({ patience: 40 });
    await slots.acquire();
    const refused = new Requests(slots).ask("b");
    await clock.pass(40);
    expect(await refused).toMatchObject({ kind: "busy", status: 503, retryAfter: 1 });
    expect((await refused)?.message).toBe("All seats were taken for 40 ms. Try again.");
    expect(slots.waiting).toBe(0);
  });

  it("may be released twice", async () => {
    const { slots } = make({ capacity: 2 });
    const first = await slots.acquire();
    await slots.acquire();
    first.release();
    first.release();
    expect(slots.taken).toBe(1);
  });

  it("may weigh more than another, and what is light does not overtake what is heavy", async () => {
    const { slots } = make({ capacity: 100 });
    const requests = new Requests(slots);
    await requests.ask("7", { weight: 70 });
    await requests.ask("3", { weight: 30 });
    void requests.ask("6", { weight: 60 });
    void requests.ask("1", { weight: 10 });
    await requests.release("3");
    expect(requests.served).toBe("73");
    await requests.release("7");
    expect([requests.served, slots.taken]).toEqual(["7361", 70]);
  });

  it("that is heavier than all there is takes all there is", async () => {
    const { slots } = make({ capacity: 100 });
    await slots.acquire({ weight: 1000 });
    expect(slots.taken).toBe(100);
  });

  it("is had by short work before long work that came a little earlier, but not by all of it", async () => {
    const { slots, clock } = make();
    const requests = new Requests(slots);
    await requests.ask("a");
    void requests.ask("L", { delay: 1000 });
    await clock.pass(500);
    void requests.ask("s");
    await clock.pass(600);
    void requests.ask("t");
    await settled();
    for (const name of ["a", "s", "L"]) await requests.release(name);
    expect(requests.served).toBe("asLt");
  });
});

describe("requests of little work", () => {
  it("have more than the others, and only so much more", async () => {
    const { slots } = make({ express: 1 });
    const requests = new Requests(slots);
    for (const name of ["A", "B"]) void requests.ask(name);
    for (const name of ["s", "t"]) void requests.ask(name, { express: true });
    await settled();
    expect([requests.served, slots.taken, slots.waiting]).toEqual(["As", 2, 2]);
    await requests.release("s");
    expect(requests.served).toBe("Ast");
  });

  it("do not keep the others waiting for ever", async () => {
    const { slots } = make({ express: 1 });
    const requests = new Requests(slots);
    await requests.ask("A");
    void requests.ask("B");
    for (const name of ["s", "t", "u"]) void requests.ask(name, { express: true });
    await settled();
    expect(requests.served).toBe("As");
    await requests.release("A");
    expect(requests.served).toBe("AsB");
    await requests.release("s");
    expect(requests.served).toBe("AsBt");
  });
});

describe("a queue", () => {
  it("refuses at once when too many wait already", async () => {
    const { slots } = make({ queueLimit: 2 });
    const requests = new Requests(slots);
    for (const name of ["a", "b", "c"]) void requests.ask(name);
    const error = await requests.ask("d");
    expect(error).toMatchObject({ kind: "busy", retryAfter: 1 });
    expect(error?.message).toBe("2 requests wait for seats already. Try again.");
  });

  it("that one client fills has a place for another client, whom the first one's last request makes room for", async () => {
    const { slots } = make({ queueLimit: 3, fair: true });
    const requests = new Requests(slots);
    const [, , , last] = ["a", "b", "c", "d"].map((name) => requests.ask(name, { client: "A" }));
    const other = requests.ask("x", { client: "B" });
    expect(await last).toMatchObject({ kind: "busy" });
    await other;
    expect(requests.served).toBe("ax");
  });
});

describe("clients", () => {
  it("share: whoever holds less comes first", async () => {
    const { slots } = make({ capacity: 2, fair: true });
    const requests = new Requests(slots);
    for (const name of ["a", "b", "c"]) void requests.ask(name, { client: "A" });
    await requests.ask("x", { client: "B" });
    void requests.ask("y", { client: "B" });
    await settled();
    await requests.release("a");
    // A still holds one, and so does B, so that the order of coming counts.
    expect(requests.served).toBe("abxc".slice(0, requests.served.length));
    await requests.release("x");
    expect(requests.served).toContain("y");
  });

  it("cannot hold everything while another one waits: that one has one more", async () => {
    const { slots } = make({ capacity: 2, fair: true });
    const requests = new Requests(slots);
    for (const name of ["a", "b", "c"]) void requests.ask(name, { client: "A" });
    void requests.ask("x", { client: "B" });
    void requests.ask("y", { client: "C" });
    await settled();
    expect([requests.served, slots.taken]).toEqual(["abx", 3]);
  });
});

describe("a part that grows", () => {
  it("waits until there is enough, and goes before whoever has nothing yet", async () => {
    const { slots } = make({ capacity: 100 });
    const requests = new Requests(slots);
    await requests.ask("a", { weight: 50 });
    await requests.ask("b", { weight: 50 });
    void requests.ask("c", { weight: 10 });
    const grown = requests.leases.get("a")?.grow(30);
    await requests.release("b");
    await grown;
    expect([requests.served, slots.taken]).toEqual(["abc", 90]);
    await requests.release("a");
    expect(slots.taken).toBe(10);
  });

  it("is refused, the youngest first, where none of those that grow could get on", async () => {
    const { slots } = make({ capacity: 100 });
    const requests = new Requests(slots);
    await requests.ask("a", { weight: 50 });
    await requests.ask("b", { weight: 50 });
    const older = requests.leases.get("a")?.grow(20);
    const younger = requests.leases.get("b")?.grow(20);
    await expect(younger).rejects.toMatchObject({ kind: "busy" });
    await requests.release("b");
    await older;
    expect(slots.taken).toBe(70);
  });
});

describe("a request whose client has gone", () => {
  it("gives back what it holds at once, and its place in the queue", async () => {
    const { slots } = make();
    const requests = new Requests(slots);
    const [holder, waiter] = [new AbortController(), new AbortController()];
    await requests.ask("a", { signal: holder.signal });
    const refused = requests.ask("b", { signal: waiter.signal });
    void requests.ask("c");
    waiter.abort();
    expect(slots.waiting).toBe(1);
    holder.abort();
    await settled();
    expect(requests.served).toBe("ac");
    expect(requests.leases.get("a")?.holds()).toBe(false);
    await requests.release("a");
    expect(slots.taken).toBe(1);
    await slots.acquire({ signal: waiter.signal }).catch((error) => expect(error.kind).toBe("cut-off"));
    expect(await Promise.race([refused, Promise.resolve("waits")])).toBeDefined();
  });

  it("loses it after two seconds where nobody was told: it does not show that it is alive", async () => {
    const { slots, clock } = make();
    const after = clock.after.bind(clock);
    clock.after = () => () => undefined; // its timers never come back
    await slots.acquire();
    clock.after = after;
    const requests = new Requests(slots);
    void requests.ask("b");
    await clock.pass(1900);
    expect(requests.served).toBe("");
    await clock.pass(1000);
    expect([requests.served, slots.taken]).toEqual(["b", 1]);
  });

  it("does not lose it after a long computation, which delays everybody's sign of life", async () => {
    const { slots, clock } = make();
    const requests = new Requests(slots);
    await requests.ask("a");
    void requests.ask("b");
    await clock.pass(300);
    clock.compute(5000);
    await clock.pass(600);
    expect(requests.leases.get("a")?.holds()).toBe(true);
    expect(requests.served).toBe("a");
  });
});

describe("a request whose body comes too slowly", () => {
  /** One that has had so many bytes and waits for more. */
  const receive = async (clock: ManualClock, bytes: number) => {
    const reception = new Reception(clock);
    await reception.wait(Promise.resolve({ value: new Uint8Array(bytes) }));
    const rest = reception.wait(new Promise<{ value?: Uint8Array }>(() => undefined)).catch((error) => error);
    return { reception, rest };
  };

  it("keeps what it holds while nobody waits", async () => {
    const { slots, clock } = make();
    const { reception } = await receive(clock, 1000);
    const lease = await slots.acquire({ reception });
    await clock.pass(60_000);
    expect(lease.holds()).toBe(true);
  });

  it("gives it up once others wait, and says why", async () => {
    const { slots, clock } = make({ capacity: 2 });
    const slow = await receive(clock, 1000);
    const fast = await receive(clock, 100_000);
    await slots.acquire({ reception: slow.reception });
    await slots.acquire({ reception: fast.reception });
    await clock.pass(900);
    const requests = new Requests(slots);
    void requests.ask("b");
    await clock.pass(600);
    expect(requests.served).toBe("b");
    expect(await slow.rest).toMatchObject({ kind: "too-slow", status: 408 });
    expect((await slow.rest).message).toMatch(
      /^Only 1000 bytes of the body came within 1\.\d s, and other requests wait/,
    );
    expect(slots.taken).toBe(2); // no more was taken than was needed
  });
});
