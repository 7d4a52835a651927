/**
 * Bodies that are held in memory: JSON, and forms with several images. MAX_FORM_BYTES bounds each of them and all of them
 * together, since an isolate has 128 MB for everything.
 */
import type { Context } from "hono";
import type { ByteStream } from "../runtime/byte-stream.ts";
import { GrantedBudget } from "../runtime/granted-budget.ts";
import { MemoryUse } from "../runtime/memory-use.ts";
import type { Reception } from "../runtime/reception.ts";
import { Semaphore } from "../runtime/semaphore.ts";
import { settingsOf } from "../settings/settings.ts";
import type { AppEnv } from "./app-env.ts";
import { countUpTo, tooLarge } from "./body.ts";
import { callerOf } from "./client-address.ts";
import { askForFormMemory, isOneOfSeveral } from "./other-workers.ts";

let budget: Semaphore | undefined;

const RESOURCE = "memory for forms and JSON";

/** What the other workers of the labeler let this one hold. */
let granted: GrantedBudget | undefined;

/** How many bytes of bodies are held in memory. */
export const wholeBodyBytes = (): number => budget?.taken ?? 0;

/** Gives back to the other workers of the labeler what this one does not hold. @returns What it holds, in bytes. */
export const giveBackFormMemory = (): number => granted?.giveBack() ?? 0;

/** Releases memory when the request is answered. */
export function keepUntilAnswered<T extends { release(): void }>(c: Context<AppEnv>, memory: T): T {
  const earlier = c.get("memory");
  c.set("memory", {
    release() {
      earlier?.release();
      memory.release();
    },
  });
  return memory;
}

/**
 * Frees memory when the request is answered. Else the garbage collector would, later: meanwhile others would take the memory
 * that the budget has again, and an isolate would have several bodies more than the budget allows.
 */
export function freeWhenAnswered(c: Context<AppEnv>, memory: { free(): void }): void {
  keepUntilAnswered(c, { release: () => memory.free() });
}

/** The share of a request in the memory for forms and JSON, which it keeps until it is answered. */
export function wholeBodyMemory(c: Context<AppEnv>, reception: Reception | undefined): MemoryUse {
  const { MAX_FORM_BYTES: limit, MAX_WAIT_MS: patience } = settingsOf(c.env);
  budget ??= new Semaphore({ capacity: limit, patience, resource: RESOURCE });
  granted ??= new GrantedBudget({ held: wholeBodyBytes, patience, resource: RESOURCE });
  const { env } = c;
  const { signal } = c.req.raw;
  const cover = granted.cover.bind(granted, (bytes) => askForFormMemory(env, bytes, limit), signal);
  const memory = new MemoryUse(
    budget,
    { signal, client: callerOf(c), reception },
    isOneOfSeveral(env) ? cover : undefined,
  );
  return keepUntilAnswered(c, memory);
}

interface ComingBody {
  readonly stream: ByteStream;
  /** The size in bytes, if it is known. */
  readonly size: number | undefined;
  readonly reception?: Reception | undefined;
}

/**
 * Reads a body into memory, which is reserved as the body arrives and kept until the request is answered.
 *
 * @throws LabelerError of kind body-too-large or busy, and the errors of `stream`.
 */
export async function wholeBody(
  c: Context<AppEnv>,
  { stream, size, reception }: ComingBody,
): Promise<Uint8Array<ArrayBuffer>> {
  const { MAX_FORM_BYTES: limit } = settingsOf(c.env);
  if (size !== undefined && size > limit) throw tooLarge(size, limit, "MAX_FORM_BYTES");
  const memory = wholeBodyMemory(c, reception);
  const whole = await stream.all({ limit, size, reserve: (bytes) => memory.reserve(bytes) });
  if (whole === undefined) throw tooLarge(undefined, limit, "MAX_FORM_BYTES");
  freeWhenAnswered(c, { free: () => whole.buffer.transfer(0) });
  return whole;
}

/**
 * A body that may be held in memory, in part or whole, under the limit of forms.
 *
 * @throws LabelerError of kind body-too-large, at once if its size is known, else from the chunks.
 */
export function formBody<T extends ComingBody>(c: Context<AppEnv>, body: T): T {
  const { MAX_FORM_BYTES: limit } = settingsOf(c.env);
  if (body.size !== undefined && body.size > limit) throw tooLarge(body.size, limit, "MAX_FORM_BYTES");
  return { ...body, stream: body.stream.tap(countUpTo(limit, "MAX_FORM_BYTES")) };
}
