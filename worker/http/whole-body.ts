/**
 * Bodies that stand in memory whole, forms and JSON: one of them has MAX_FORM_BYTES at most, and all of them together have
 * no more, since an isolate has 128 MB for everything.
 */
import type { Context } from "hono";
import { Pieces } from "../image/pieces.ts";
import { type Lease, Slots } from "../slots.ts";
import { tooLarge } from "./body.ts";
import { type AppEnv, settingsOf } from "./settings.ts";

let room: Slots | undefined;

/** Longer than a body may stand still, or a list of images take from one to the next. In milliseconds. */
const LEASE = 30_000;

async function* watched(pieces: Pieces, lease: Lease): AsyncGenerator<Uint8Array, void> {
  for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
    lease.extend();
    yield piece;
  }
}

/**
 * Takes in a body when there is room for it; until the request is answered the room is its own.
 *
 * @param size In bytes, where it is known.
 * @throws LabelerError of kind body-too-large, or busy.
 */
export async function wholeBody(
  c: Context<AppEnv>,
  pieces: Pieces,
  size: number | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const { MAX_FORM_BYTES: limit, MAX_WAIT_MS: patience } = settingsOf(c.env);
  if (size !== undefined && size > limit) throw tooLarge(size, limit, "MAX_FORM_BYTES");
  room ??= new Slots({ count: limit, lease: LEASE, patience, what: "forms and JSON in memory" });
  const lease = await room.acquire(size ?? limit, c.req.raw.signal);
  c.set("room", lease);
  const whole = await new Pieces(watched(pieces, lease)).all({ limit, size });
  if (whole === undefined) throw tooLarge(undefined, limit, "MAX_FORM_BYTES");
  return whole;
}
