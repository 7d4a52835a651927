/** The clock of the scheduler and the semaphores. Tests replace it with their own. */

export interface Clock {
  /** The time in milliseconds. On Cloudflare it only advances when an event arrives. */
  now(): number;
  /** Waits for one round of the event loop, in which pending events are served. */
  round(): Promise<void>;
  /** Calls `done` after this many milliseconds, unless the returned function is called first. */
  after(milliseconds: number, done: () => void): () => void;
}

export const isolateClock: Clock = {
  now: () => performance.now(),
  round: () => scheduler.wait(0),
  after(milliseconds, done) {
    const timer = setTimeout(done, milliseconds);
    return () => clearTimeout(timer);
  },
};
