/** Work that can be interrupted between its parts. */

/** Each next() does one part of the work synchronously; the last one returns the result. */
export type Parts<T> = Generator<undefined, T, undefined>;

/** Does all parts of the work synchronously. */
export function finish<T>(parts: Parts<T>): T {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}
