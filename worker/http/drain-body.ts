/**
 * An answer may be ready before its request's body has come to an end: what is refused is not read, and of an image not
 * always everything is wanted. The answer is sent at once, but its end is held back until the body was taken in: workerd
 * closes the connection behind the answer's end, and a client that is still sending then would lose the answer.
 */
import type { MiddlewareHandler } from "hono";
import { settingsOf } from "../settings/settings.ts";
import type { AppEnv } from "./app-env.ts";
import { drainBody } from "./body.ts";

/** How long the end of a body that has come already may take to show, in milliseconds. */
const AT_ONCE = 5;

function heldBack(response: Response, body: Uint8Array<ArrayBuffer>, until: Promise<void>): Response {
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

export const takeInRest: MiddlewareHandler<AppEnv> = async (c, next) => {
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
  c.res = heldBack(response, new Uint8Array(await response.arrayBuffer()), drained);
};
