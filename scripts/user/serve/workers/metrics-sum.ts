/**
 * The metrics of several workers as those of one labeler, in Prometheus' text format: counters and histograms are summed,
 * and what an ended process has counted stays counted, so that none of them ever falls.
 */

interface Family {
  /** The lines HELP and TYPE. */
  readonly head: string;
  readonly type: string;
  /** Values by the text in front of them, which is name and labels. */
  readonly samples: Map<string, number>;
}

type Families = Map<string, Family>;

/** Gauges of which the largest counts. */
const LARGEST: ReadonlySet<string> = new Set(["edge_labeler_isolate_age_seconds"]);

/** @param text As worker/observability/metrics.ts writes it. */
function parse(text: string): Families {
  const families: Families = new Map();
  let [help, family]: [string, Family | undefined] = ["", undefined];
  for (const line of text.split("\n")) {
    if (line.startsWith("# HELP ")) help = line;
    else if (line.startsWith("# TYPE ")) {
      const [, , name, type] = line.split(" ");
      family = { head: `${help}\n${line}\n`, type, samples: new Map() };
      families.set(name, family);
    } else if (line !== "") {
      const end = line.lastIndexOf(" ");
      family?.samples.set(line.slice(0, end), Number(line.slice(end + 1)));
    }
  }
  return families;
}

function add(sum: Families, more: Families, counts: (type: string) => boolean): void {
  for (const [name, { head, type, samples }] of more) {
    const family = sum.get(name) ?? { head, type, samples: new Map() };
    sum.set(name, family);
    if (!counts(type)) continue;
    for (const [series, value] of samples) {
      const before = family.samples.get(series) ?? 0;
      family.samples.set(series, LARGEST.has(name) ? Math.max(before, value) : before + value);
    }
  }
}

export class MetricsSum<P> {
  /** What each running process last said. */
  readonly #last = new Map<P, Families>();
  /** What ended processes have counted. */
  readonly #ended: Families = new Map();

  /** Takes what a process says of itself now. */
  hear(process: P, text: string): void {
    this.#last.set(process, parse(text));
  }

  /** The process has ended: what it said last is what it has counted. */
  end(process: P): void {
    const last = this.#last.get(process);
    this.#last.delete(process);
    if (last !== undefined) add(this.#ended, last, (type) => type !== "gauge");
  }

  /** The sum, in Prometheus' text format. */
  render(): string {
    const sum: Families = new Map();
    for (const last of this.#last.values()) add(sum, last, () => true);
    add(sum, this.#ended, () => true);
    return [...sum.values()]
      .map(({ head, samples }) => head + [...samples].map(([series, value]) => `${series} ${value}\n`).join(""))
      .join("");
  }
}
