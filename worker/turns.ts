/**
 * Turns on the isolate's single thread. Decoding and inference block it; whenever they have for a while, they wait until
 * everything else has had its turn, a probe say: else it would wait for all the images that are ready to go on.
 */

/** For so long images may keep the thread, in milliseconds; an inference, which cannot stop half-way, begins early in it. */
const TURN = 20;
const EARLY = 5;

/** For how long they have kept it, in milliseconds. Where the clock stands still meanwhile, as on Cloudflare, see ran(). */
let kept = 0;

async function within(limit: number): Promise<void> {
  while (kept > limit) {
    const before = kept;
    await scheduler.wait(1);
    // Of all that waited the first resets it.
    if (kept === before) kept = 0;
  }
}

/** To be awaited before a piece of an image is decoded. */
export const turnToDecode = (): Promise<void> => within(TURN);

/** To be awaited before an inference. */
export const turnToInfer = (): Promise<void> => within(EARLY);

/** Says for how long the thread was kept, in milliseconds; of an inference it is always enough for a turn. */
export function ran(milliseconds: number): void {
  kept += milliseconds;
}

export const WHOLE_TURN = TURN + 1;
