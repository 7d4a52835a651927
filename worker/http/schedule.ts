/** Gives each request its share of the isolate's one thread. */
import type { MiddlewareHandler } from "hono";
import { type Share, ThreadScheduler } from "../runtime/thread-scheduler.ts";
import type { AppEnv } from "./app-env.ts";

const scheduler = new ThreadScheduler();

/** How many requests wait for the thread. */
export const waitingForThread = (): number => scheduler.waiting;

export const schedule: MiddlewareHandler<AppEnv> = async (c, next) => {
  const share: Share = scheduler.begin(c.req.raw.signal, (milliseconds) => c.get("trace")?.add("turn", milliseconds));
  c.set("execute", (units, work) => scheduler.run(share, units, work));
  c.set("executeInParts", (units, work) => scheduler.runInParts(share, units, work));
  c.set("onMuchWork", () => {
    share.bulk = true;
  });
  try {
    await next();
  } finally {
    scheduler.end(share);
  }
};
