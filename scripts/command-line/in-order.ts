/** Processes a list, a few items at a time. */

/** The number of concurrent requests: one is read from disk while another is labelled. */
const AT_ONCE = 2;

/** Calls `work` for every item, a few at a time, and yields the results in the order of the items. */
export async function inOrder<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  take: (result: R, index: number) => void,
): Promise<void> {
  const running: Promise<R>[] = [];
  for (let index = 0; index < items.length; index++) {
    for (let next = index + running.length; running.length < AT_ONCE && next < items.length; next++) {
      const promise = work(items[next] as T);
      promise.catch(() => undefined); // Awaited below, perhaps after another one has failed.
      running.push(promise);
    }
    take((await running.shift()) as R, index);
  }
}
