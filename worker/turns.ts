/**
 * Turns on the isolate's single thread. Decoding, inference and the reading of large JSON block it; whenever they have for a
 * while, they wait until everything else has had its turn, a probe say: else it would wait for all that is ready to go on.
 */

/** For so long images may keep the thread, in milliseconds; an inference, which cannot stop half-way, begins early in it. */
const TURN = 20;
const EARLY = 5;

/** So long may the only image that is there keep it, in milliseconds: nothing but a probe waits for that one. */
const ALONE = 40;

/**
 * How often the event loop goes round before an image goes on, a millisecond each where it has nothing to do. Between the
 * bytes of a request and those of its answer it goes round three times, behind the proxy of wrangler dev five times: in a
 * round, timers are served with all else.
 */
const ROUNDS = 5;

/** For how long they have kept it, in milliseconds. On Cloudflare, where the clock stands still, inferences alone count. */
let kept = 0;

/** When an image last had the thread, or waited for it, as performance.now() has it. */
let seen = 0;

/** How often everything else has had its turn. */
let turns = 0;

async function within(limit: number): Promise<void> {
  // Where no image was there for as long, everything else has had its turn, and who comes alone need not wait.
  if (performance.now() - seen >= TURN) kept = 0;
  while (kept > limit) {
    const before = turns;
    for (let round = 0; round < ROUNDS && turns === before; round++) {
      await scheduler.wait(0);
      seen = performance.now();
    }
    // All that waited go on one behind the other in the same round: the first of them takes the new turn.
    if (turns !== before) continue;
    turns++;
    kept = 0;
  }
}

/** To be awaited before a piece of an image is decoded; see ran(). @param alone Whether no other image is there. */
export const turnToDecode = (alone = false): Promise<void> => within(alone ? ALONE : TURN);

/** Says for how long an image kept the thread, in milliseconds, when it gives it back. */
export function ran(milliseconds: number): void {
  kept += milliseconds;
  seen = performance.now();
}

/**
 * To be awaited before an inference, which is a turn of its own, however long it takes.
 *
 * @param alone Whether no other image is there.
 */
export async function turnToInfer(alone = false): Promise<void> {
  await within(alone ? ALONE : EARLY);
  ran(TURN + 1);
}

/** Text of so many bytes is read in a millisecond or less. */
const SHORT = 128 << 10;

/** Does in its turn what cannot be done piece by piece with a text of so many bytes, or of so many characters. */
export async function inTurn<T>(size: number, work: () => T): Promise<T> {
  if (size <= SHORT) return work();
  await within(EARLY);
  const start = performance.now();
  try {
    return work();
  } finally {
    ran(performance.now() - start);
  }
}
