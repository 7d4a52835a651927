/** The known name that a caller may have meant. */

/** Names that are longer than this, in characters, are not compared. */
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

/** The names that are written most like this one, the likest first; those that contain it come before all others. */
export function nearestNames(name: string, known: readonly string[], most = 3): string[] {
  if (name.length > MAX_LENGTH) return [];
  const text = name.toLowerCase();
  return known
    .map((candidate) => {
      const other = candidate.toLowerCase();
      return { candidate, edits: distance(text, other), contains: other.includes(text) };
    })
    .filter(({ candidate, edits, contains }) => contains || edits < Math.max(candidate.length, text.length))
    .sort((a, b) => Number(b.contains) - Number(a.contains) || a.edits - b.edits)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

/** The name that is written most like this one, the first of several; undefined for a text that is like none. */
export const nearest = (name: string, known: readonly string[]): string | undefined => nearestNames(name, known, 1)[0];
