/** Time as the scheduler and the semaphores see it. Tests put a clock of their own in its place. */

export interface Clock {
  /** In milliseconds. On Cloudflare it only advances when an event arrives. */
  now(): number;
  /** Lets the event loop go round once: whatever has arrived meanwhile is served. */
  round(): Promise<void>;
  /** Calls `done` after so many milliseconds unless the returned function is called before. */
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
