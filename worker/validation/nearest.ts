/** The known name that a caller may have meant. */

/** Longer names are no slip of the pen. */
const MAX_LENGTH = 64;

/** Insertions, deletions and changes of a letter that make one word of the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The name that is written most like this one, the first of several; undefined for a text that is like none. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  const text = name.toLowerCase();
  const [best] = known
    .map((candidate) => ({ candidate, edits: distance(text, candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits < Math.max(candidate.length, text.length))
    .sort((a, b) => a.edits - b.edits);
  return best?.candidate;
}
