/**
 * Simulates Cloudflare's clock for the labeler on workerd: the clock stands still while code computes, and advances
 * only when an event of the outside world reaches that code: a request, an answer, bytes, a timer, an alarm. It is a prelude of
 * startWorkerd() and leaves the Worker unchanged. Timers are not slowed down. It is JavaScript, since workerd loads it
 * unchanged.
 */

const [realDate, realNow] = [Date.now.bind(Date), performance.now.bind(performance)];

/** The time that the clocks show until the next event, in milliseconds. */
let [date, now] = [0, 0];

/** Advances the clocks to now: an event has arrived. */
function tick() {
  date = realDate();
  now = realNow();
}

/**
 * Replaces a function whose promise is settled by an event.
 *
 * @param {any} owner
 * @param {string} name
 */
function tickAfter(owner, name) {
  const original = owner?.[name];
  if (typeof original !== "function") return;
  owner[name] = function (...args) {
    const result = original.apply(this, args);
    // Added before the caller awaits the promise: reactions run in the order in which they were added.
    result?.then?.(tick, tick);
    return result;
  };
}

/** @param {"setTimeout" | "setInterval"} name */
function tickInTimers(name) {
  const original = globalThis[name];
  globalThis[name] = (callback, delay, ...args) => {
    const ticking = (...given) => {
      tick();
      callback(...given);
    };
    return original(ticking, delay, ...args);
  };
}

performance.now = () => now;
globalThis.Date = new Proxy(Date, {
  construct: (original, args, target) => Reflect.construct(original, args.length === 0 ? [date] : args, target),
  apply: (original) => new original(date).toString(),
});
Date.now = () => date;

tickAfter(globalThis, "fetch");
tickAfter(globalThis.scheduler, "wait");
for (const name of ["setTimeout", "setInterval"]) tickInTimers(name);
for (const [type, names] of [
  ["ReadableStreamBYOBReader", ["read", "readAtLeast"]],
  ["ReadableStreamDefaultReader", ["read"]],
  ["WritableStreamDefaultWriter", ["write", "close"]],
  ["Request", ["arrayBuffer", "bytes", "text", "json"]],
  ["Response", ["arrayBuffer", "bytes", "text", "json"]],
  ["Cache", ["match", "put"]],
]) {
  for (const name of names) tickAfter(globalThis[type]?.prototype, name);
}

/**
 * A request is an event as well.
 *
 * @param {{ fetch: (...args: unknown[]) => unknown }} handlers The Worker's.
 */
export default (handlers) => ({
  ...handlers,
  fetch: (...args) => {
    tick();
    return handlers.fetch(...args);
  },
});

/**
 * A Durable Object is called by events: its methods and its alarm.
 *
 * @template {new (...args: any[]) => object} T
 * @param {T} Original
 * @returns {T}
 */
export function prepareObject(Original) {
  const { prototype } = Original;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const method = prototype[name];
    if (name === "constructor" || typeof method !== "function") continue;
    prototype[name] = function (...args) {
      tick();
      return method.apply(this, args);
    };
  }
  return class extends Original {
    constructor(...args) {
      tick();
      super(...args);
    }
  };
}
