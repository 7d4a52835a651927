/** Works through a list, a few items at once. */

/** So many requests at once that one is read from disk while another is labelled. */
const AT_ONCE = 2;

/** Calls `work` on every item, a few at once, and hands the results on in the order of the items. */
export async function inOrder<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  take: (result: R, index: number) => void,
): Promise<void> {
  const running: Promise<R>[] = [];
  for (let index = 0; index < items.length; index++) {
    for (let next = index + running.length; running.length < AT_ONCE && next < items.length; next++) {
      const promise = work(items[next] as T);
      promise.catch(() => undefined); // it is awaited below, perhaps after another has failed
      running.push(promise);
    }
    take((await running.shift()) as R, index);
  }
}
