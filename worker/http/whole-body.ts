/**
 * Bodies that stand in memory whole, forms and JSON: one of them is at most MAX_FORM_BYTES long, and so are all of them
 * together, since an isolate has 128 MB for everything.
 */
import type { Context } from "hono";
import type { ByteStream } from "../runtime/byte-stream.ts";
import { MemoryUse } from "../runtime/memory-use.ts";
import type { Reception } from "../runtime/reception.ts";
import { Semaphore } from "../runtime/semaphore.ts";
import { settingsOf } from "../settings/settings.ts";
import type { AppEnv } from "./app-env.ts";
import { tooLarge } from "./body.ts";
import { callerOf } from "./client-address.ts";

let budget: Semaphore | undefined;

/** How many bytes of bodies are in memory. */
export const wholeBodyBytes = (): number => budget?.taken ?? 0;

/**
 * Reads a body into memory, which is reserved as the body comes, and kept until the request is answered.
 *
 * @param size In bytes, where it is known.
 * @throws LabelerError of kind body-too-large, busy, or what `pieces` throw.
 */
export async function wholeBody(
  c: Context<AppEnv>,
  {
    pieces,
    size,
    reception,
  }: { readonly pieces: ByteStream; readonly size: number | undefined; readonly reception?: Reception },
): Promise<Uint8Array<ArrayBuffer>> {
  const { MAX_FORM_BYTES: limit, MAX_WAIT_MS: patience } = settingsOf(c.env);
  if (size !== undefined && size > limit) throw tooLarge(size, limit, "MAX_FORM_BYTES");
  budget ??= new Semaphore({ capacity: limit, patience, resource: "memory for forms and JSON" });
  const memory = new MemoryUse(budget, { signal: c.req.raw.signal, client: callerOf(c), reception });
  c.set("memory", memory);
  const whole = await pieces.all({ limit, size, reserve: (bytes) => memory.reserve(bytes) });
  if (whole === undefined) throw tooLarge(undefined, limit, "MAX_FORM_BYTES");
  return whole;
}
