/** Parses Prometheus' text exposition format 0.0.4 strictly: any deviation is an error. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SUFFIX: Readonly<Record<string, RegExp>> = {
  counter: /^_total$|^$/,
  gauge: /^$/,
  histogram: /^_(bucket|sum|count)$/,
};
const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name, value] = LABEL.exec(text) ?? [];
    if (name === undefined || value === undefined) throw new Error(`no labels: {${text}}`);
    if (name in labels) throw new Error(`${name} twice in {${text}}`);
    labels[name] = value.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));
  }
  return labels;
}

/** @throws Error for a line that is not allowed, a sample without its type, a series that is there twice. */
export function parsePrometheus(text: string): Sample[] {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const types = new Map<string, string>();
  const helped = new Set<string>();
  const seen = new Set<string>();
  let family = "";
  const samples: Sample[] = [];
  for (const line of text.slice(0, -1).split("\n")) {
    const [, keyword, described = "", rest = ""] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line) ?? [];
    if (keyword === "HELP") {
      if (helped.has(described)) throw new Error(`HELP twice: ${described}`);
      helped.add(described);
      continue;
    }
    if (keyword === "TYPE") {
      if (types.has(described) || !(rest in SUFFIX)) throw new Error(`bad type: ${line}`);
      types.set(described, rest);
      family = described;
      continue;
    }
    const [, name, labels = "", value] =
      new RegExp(`^(${NAME})(?:\\{(.*)\\})? (-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?|[+-]Inf|NaN)$`).exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`no sample: ${line}`);
    // All samples of a family stand together, behind its type.
    if (!name.startsWith(family) || !SUFFIX[types.get(family) ?? ""]?.test(name.slice(family.length))) {
      throw new Error(`${name} is not of ${family}, a ${types.get(family)}`);
    }
    const series = `${name}{${labels}}`;
    if (seen.has(series)) throw new Error(`twice: ${series}`);
    seen.add(series);
    samples.push({ name, labels: labelsOf(labels), value: Number(value.replace("Inf", "Infinity")) });
  }
  checkHistograms(samples, types);
  return samples;
}

/** Buckets grow, and the last one is the count. */
function checkHistograms(samples: readonly Sample[], types: ReadonlyMap<string, string>): void {
  for (const [family, type] of types) {
    if (type !== "histogram") continue;
    const before = new Map<string, number>();
    for (const { name, labels, value } of samples) {
      const { le, ...others } = labels;
      const key = JSON.stringify(others);
      if (name === `${family}_bucket`) {
        if (le === undefined || value < (before.get(key) ?? 0)) throw new Error(`${family}: buckets shrink`);
        before.set(key, value);
      }
      if (name === `${family}_count` && before.get(key) !== value) throw new Error(`${family}: +Inf is not the count`);
    }
  }
}
