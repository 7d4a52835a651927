/** Version numbers such as 2.4.2. */

const numbers = (version: string) => version.split(".").map((part) => Number.parseInt(part, 10) || 0);

/** Whether version `a`, for example 1.24.1 or 1.26rc1, is older than `b`. */
export function isOlder(a: string, b: string): boolean {
  const [x, y] = [numbers(a), numbers(b)];
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
