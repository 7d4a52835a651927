/** Compares what the labeler has acknowledged with what it has stored. */
import type { StoredResult } from "../../../worker/results/result.ts";

/** All stored results, oldest first. */
export async function readStored(url: string): Promise<StoredResult[]> {
  const stored: StoredResult[] = [];
  for (let since = "0"; ; ) {
    const response = await fetch(`${url}/results?limit=1000&since=${since}`);
    if (!response.ok) throw new Error(`/results was answered with ${response.status}: ${await response.text()}`);
    const page = (await response.json()) as StoredResult[];
    stored.push(...page);
    const last = page.at(-1);
    if (last === undefined) return stored;
    since = last.next;
  }
}

/**
 * @param acknowledged The ids that were answered with a 204, and the top-1 label of each image.
 * @returns What is lost, duplicated or wrong.
 */
export function compareStored(acknowledged: ReadonlyMap<string, string>, stored: readonly StoredResult[]): string[] {
  const labels = new Map<string, string[]>();
  for (const { id, label } of stored) labels.set(id, [...(labels.get(id) ?? []), label]);
  const faults = [...labels]
    .filter(([, all]) => all.length > 1)
    .map(([id, all]) => `${id} is stored ${all.length} times`);
  for (const [id, label] of acknowledged) {
    const found = labels.get(id)?.[0];
    if (found === undefined) faults.push(`${id} was acknowledged and is lost`);
    else if (found !== label) faults.push(`${id} is stored as ${found} and is ${label}`);
  }
  return faults;
}
