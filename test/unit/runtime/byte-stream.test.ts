/** Byte streams: peeking, reading chunk by chunk, and reading everything. */
import { describe, expect, it } from "vitest";
import { ByteStream } from "../../../worker/runtime/byte-stream.ts";

const of = (...chunks: number[][]) => new ByteStream(chunks.map((chunk) => Uint8Array.from(chunk)));
const list = (bytes: Uint8Array | undefined) => bytes && [...bytes];

describe("peek", () => {
  it("shows the first bytes without taking them, over as many chunks as it takes", async () => {
    const stream = of([1], [], [2, 3], [4, 5, 6], [7]);
    expect(list(await stream.peek(4))).toEqual([1, 2, 3, 4]);
    expect(list(await stream.peek(2))).toEqual([1, 2]);
    expect(list(await stream.next())).toEqual([1, 2, 3, 4, 5, 6]);
    expect(list(await stream.next())).toEqual([7]);
    expect(await stream.next()).toBeUndefined();
  });

  it("shows what there is, if that is less", async () => {
    const stream = of([1, 2], [3]);
    expect(list(await stream.peek(256))).toEqual([1, 2, 3]);
    expect(list(await stream.next())).toEqual([1, 2, 3]);
    expect(await stream.next()).toBeUndefined();
    expect(list(await of().peek(256))).toEqual([]);
    expect(list(await of([]).peek(256))).toEqual([]);
  });

  it("takes no more chunks than it needs", async () => {
    let taken = 0;
    function* counted() {
      for (; taken < 9; taken++) yield Uint8Array.of(taken, taken);
    }
    const stream = new ByteStream(counted());
    await stream.peek(3);
    expect(taken).toBe(1); // the second is being looked at
  });
});

describe("all", () => {
  it("is everything that is left", async () => {
    const stream = of([1], [2, 3], [4]);
    expect(list(await stream.next())).toEqual([1]);
    expect(list(await stream.all({ limit: 100 }))).toEqual([2, 3, 4]);
    expect(list(await stream.all({ limit: 100 }))).toEqual([]);
  });

  it("is the same whatever size was announced, too small or too large", async () => {
    for (const size of [undefined, 0, 1, 3, 4, 50, 1e9])
      expect(list(await of([1], [2, 3], [4]).all({ limit: 100, size }))).toEqual([1, 2, 3, 4]);
  });

  it("includes what was looked at", async () => {
    const stream = of([1], [2, 3], [4]);
    await stream.peek(2);
    expect(list(await stream.all({ limit: 4 }))).toEqual([1, 2, 3, 4]);
  });

  it("is undefined as soon as it is more than the limit", async () => {
    let taken = 0;
    function* endless() {
      for (;;) {
        taken++;
        yield new Uint8Array(10);
      }
    }
    expect(await new ByteStream(endless()).all({ limit: 35 })).toBeUndefined();
    expect(taken).toBe(4);
    expect((await of([1, 2], [3]).all({ limit: 3 }))?.length).toBe(3);
    expect(await of([1, 2], [3]).all({ limit: 2 })).toBeUndefined();
  });
});

describe("close", () => {
  it("tells the source that nothing more is wanted, be it synchronous or not", async () => {
    let closed = 0;
    function* plain() {
      try {
        yield Uint8Array.of(1);
        yield Uint8Array.of(2);
      } finally {
        closed++;
      }
    }
    async function* later() {
      yield* plain();
    }
    for (const source of [plain(), later()]) {
      const stream = new ByteStream(source);
      expect(list(await stream.next())).toEqual([1]);
      await stream.close();
      expect(await stream.next()).toBeUndefined();
    }
    expect(closed).toBe(2);
  });

  it("cancels a stream", async () => {
    let cancelled = false;
    const source = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(Uint8Array.of(1, 2)),
      cancel: () => {
        cancelled = true;
      },
    });
    const stream = new ByteStream(source);
    expect(list(await stream.peek(1))).toEqual([1]);
    await stream.close();
    expect(cancelled).toBe(true);
  });

  it("shows its chunks on their way, each before it is given", async () => {
    const seen: number[][] = [];
    const tapped = new ByteStream([Uint8Array.of(1, 2), Uint8Array.of(3)]).tap(async (chunk) => {
      seen.push([...chunk]);
    });
    expect(seen).toEqual([]);
    expect(list(await tapped.peek(1))).toEqual([1]);
    expect(seen).toEqual([[1, 2]]);
    expect(list(await tapped.all({ limit: 10 }))).toEqual([1, 2, 3]);
    expect(seen).toEqual([[1, 2], [3]]);
  });
});
