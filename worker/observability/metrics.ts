/** Counters, gauges and histograms of an isolate, as Prometheus reads them: text exposition format 0.0.4. */

type Labels = Readonly<Record<string, string>>;

const escaped = (value: string): string => value.replace(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`));

const shown = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
};

const head = (name: string, type: string, help: string): string => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;

/** Whatever a label's values are, there are no more series than this; the rest is counted as "other". */
const MAX_SERIES = 200;

export class Counter {
  readonly #name: string;
  readonly #help: string;
  readonly #values = new Map<string, number>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(labels: Labels, value = 1): void {
    let series = shown(labels);
    if (!this.#values.has(series) && this.#values.size >= MAX_SERIES) {
      series = shown(Object.fromEntries(Object.keys(labels).map((name) => [name, "other"])));
    }
    this.#values.set(series, (this.#values.get(series) ?? 0) + value);
  }

  render(): string {
    const lines = [...this.#values].map(([labels, value]) => `${this.#name}${labels} ${value}\n`);
    return head(this.#name, "counter", this.#help) + lines.join("");
  }
}

/** The upper bounds of the buckets, in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #series = new Map<string, { labels: Labels; buckets: number[]; sum: number; count: number }>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  observe(labels: Labels, seconds: number): void {
    const key = shown(labels);
    const series = this.#series.get(key) ?? { labels, buckets: BUCKETS.map(() => 0), sum: 0, count: 0 };
    this.#series.set(key, series);
    BUCKETS.forEach((limit, i) => {
      if (seconds <= limit) series.buckets[i]++;
    });
    series.sum += seconds;
    series.count++;
  }

  render(): string {
    const lines = [...this.#series.values()].flatMap(({ labels, buckets, sum, count }) => [
      ...BUCKETS.map((limit, i) => `${this.#name}_bucket${shown({ ...labels, le: `${limit}` })} ${buckets[i]}\n`),
      `${this.#name}_bucket${shown({ ...labels, le: "+Inf" })} ${count}\n`,
      `${this.#name}_sum${shown(labels)} ${sum}\n`,
      `${this.#name}_count${shown(labels)} ${count}\n`,
    ]);
    return head(this.#name, "histogram", this.#help) + lines.join("");
  }
}

/** A value as it is now. */
export const gauge = (name: string, help: string, value: number): string =>
  `${head(name, "gauge", help)}${name} ${value}\n`;
