/** When a body comes too slowly (worker/runtime/reception.ts), by a clock that the tests move. */
import { expect, it } from "vitest";
import { Reception } from "../../../worker/runtime/reception.ts";
import { ManualClock } from "./manual-clock.ts";

/** A body that comes for so many seconds, ten chunks each, and then is waited for. */
async function received(
  bytesPerSecond: number,
  seconds: number,
): Promise<{ reception: Reception; clock: ManualClock }> {
  const clock = new ManualClock();
  const reception = new Reception(clock);
  for (let i = 0; i < seconds * 10; i++) {
    const read = Promise.withResolvers<{ value: Uint8Array }>();
    const wait = reception.wait(read.promise);
    clock.compute(100);
    read.resolve({ value: new Uint8Array(bytesPerSecond / 10) });
    await wait;
  }
  void reception.wait(new Promise<{ value?: Uint8Array }>(() => undefined)).catch(() => undefined);
  return { reception, clock };
}

it.each([
  ["64 KB/s for 5 s", 64 << 10, 5, false],
  ["9 KB/s for 5 s", 9 << 10, 5, false],
  ["4 KB/s for 5 s", 4 << 10, 5, true],
  ["4 KB/s, but only for half a second", 4 << 10, 0.5, false],
  ["9 KB/s for 11 s", 9 << 10, 11, true],
  ["80 KB/s for 20 s", 80 << 10, 20, false],
  ["80 KB/s for 31 s", 80 << 10, 31, true],
])("%s", async (_, rate, seconds, tooSlow) => {
  expect((await received(rate, seconds)).reception.tooSlow).toBe(tooSlow);
});

it("a body that came fast and stands still is too slow after a second", async () => {
  const { reception, clock } = await received(1 << 20, 2);
  clock.compute(700);
  expect(reception.tooSlow).toBe(false);
  clock.compute(600);
  expect(reception.tooSlow).toBe(true);
});

it("a request that does not wait for its body is not too slow, however long it takes", async () => {
  const clock = new ManualClock();
  const reception = new Reception(clock);
  await reception.wait(Promise.resolve({ value: new Uint8Array(10) }));
  clock.compute(60_000);
  expect(reception.tooSlow).toBe(false);
});

it("a body that comes fast is not too slow where the thread is too busy to read it", async () => {
  const clock = new ManualClock();
  const reception = new Reception(clock);
  for (let i = 0; i < 40; i++) {
    clock.compute(1000);
    await reception.wait(Promise.resolve({ value: new Uint8Array(1000) }));
  }
  void reception.wait(new Promise<{ value?: Uint8Array }>(() => undefined)).catch(() => undefined);
  expect(reception.tooSlow).toBe(false);
});

it("once it was refused, reading goes no further", async () => {
  const { reception } = await received(1000, 2);
  reception.refuse("slots for labelling");
  await expect(reception.wait(Promise.resolve({ value: new Uint8Array(1) }))).rejects.toMatchObject({
    kind: "too-slow",
    message: expect.stringMatching(/other requests wait for slots for labelling/),
  });
});
