/**
 * Promises that cross requests: one request settles what another one awaits.
 *
 * workerd tags a promise with the request that creates it, and continues whoever awaits it within that request. But
 * optimised code creates promises without the tag, both for `new Promise()` and for async functions: patch 0006 of
 * workerd to V8 stores zero there (src/compiler/js-create-lowering.cc). Whoever awaits such a promise continues within
 * the request that settles it, where its own body and timers are refused: "Cannot perform I/O on behalf of a different
 * request". Promise.withResolvers() is a builtin that optimised code calls as well, so its promises always have the tag.
 */

/** A promise of this request that any request may settle. */
export const settledByAny = <T>(): PromiseWithResolvers<T> => Promise.withResolvers<T>();

/** @returns A promise that settles as `work` does and that any request may await. */
export function awaitedByAny<T>(work: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  work.then(resolve, reject);
  return promise;
}
