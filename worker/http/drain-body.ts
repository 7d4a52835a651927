/**
 * Reads the rest of a body behind its answer. An answer may be ready before the body has arrived: a refused body is not
 * read, nor is the end of an image whose first bytes are enough. The answer is sent at once, but its end is held back
 * until the body has arrived: workerd closes the connection after the answer, and a client that is still sending would
 * then lose the answer.
 */
import type { MiddlewareHandler } from "hono";
import { settingsOf } from "../settings/settings.ts";
import type { AppEnv } from "./app-env.ts";
import { drainBody } from "./body.ts";

/** Waits this long, in milliseconds, for the end of a body that has already arrived. */
const AT_ONCE = 5;

/** Sends an answer at once, except for its end, which waits for `until`. */
function holdBackEnd(response: Response, body: Uint8Array<ArrayBuffer>, until: Promise<void>): Response {
  const { readable, writable } = new FixedLengthStream(body.length);
  const send = async () => {
    const writer = writable.getWriter();
    await writer.write(body);
    await until;
    await writer.close();
  };
  send().catch(() => undefined); // the client has hung up
  return new Response(readable, response);
}

export const drainAfterAnswer: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  c.get("memory")?.release();
  if (c.req.raw.body === null) return;
  let ended = false;
  const drained = drainBody(c.req.raw, settingsOf(c.env).MAX_BODY_BYTES).then(() => {
    ended = true;
  });
  await Promise.race([drained, scheduler.wait(AT_ONCE)]);
  if (ended) return;
  const response = c.res;
  if (response.body === null) return drained; // an empty answer has no end to hold back
  c.res = holdBackEnd(response, new Uint8Array(await response.arrayBuffer()), drained);
};
