/** Work that may be interrupted: between its parts, something else can be done. */

/** Each next() does a part of the work, at once; the last one gives the result. */
export type Parts<T> = Generator<undefined, T, undefined>;

/** Does all parts of the work at once. */
export function finish<T>(parts: Parts<T>): T {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}
