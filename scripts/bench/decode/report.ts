/** From what was measured to rows with ratios, to the goals and to Markdown. */
import type { Input } from "./inputs.ts";
import { median, type Result } from "./measure.ts";

export interface Row {
  readonly format: Input["format"];
  readonly size: Input["size"];
  readonly fileBytes: number;
  readonly decoder: string;
  readonly ours: boolean;
  readonly adapted: boolean;
  readonly failure?: string;
  /** Medians in ms. */
  readonly cpuMs?: number;
  readonly wallMs?: number;
  /** Medians over the rounds: the time of ours, to 224 × 224, divided by that of this decoder in the same round. */
  readonly ratio?: number;
  readonly wallRatio?: number;
  readonly rounds: number;
  readonly wasmBytes?: number;
  readonly outputBytes?: number;
  readonly residentBytes?: number;
}

export interface Goal {
  readonly goal: string;
  readonly pass: boolean;
  readonly figure: string;
}

/** The first result is ours. */
export function rowsOf(input: Input, results: readonly Result[]): Row[] {
  const [reference] = results;
  return results.map(({ engine, failure, first, samples }) => {
    const row = {
      format: input.format,
      size: input.size,
      fileBytes: input.bytes.length,
      decoder: engine.name,
      ours: engine.ours ?? false,
      adapted: engine.adapted ?? false,
      rounds: samples.length,
    };
    if (first === undefined) return { ...row, failure: failure ?? "" };
    const ratio = (of: "cpu" | "wall") => median(samples.map((sample, i) => reference.samples[i][of] / sample[of]));
    const { wasmBytes, outputBytes, residentBytes } = first;
    return {
      ...row,
      cpuMs: median(samples.map(({ cpu }) => cpu)),
      wallMs: median(samples.map(({ wall }) => wall)),
      ratio: ratio("cpu"),
      wallRatio: ratio("wall"),
      wasmBytes,
      outputBytes,
      residentBytes,
    };
  });
}

const megabytes = (bytes: number | undefined) => (bytes === undefined ? "" : (bytes / 2 ** 20).toFixed(1));
const times = (value: number | undefined) => (value === undefined ? "" : `${value.toFixed(2)}×`);

function jpegGoal(
  rows: readonly Row[],
  { format, size }: Pick<Row, "format" | "size">,
  limit: number,
): Goal | undefined {
  const rival = rows.find((row) => row.format === format && row.size === size && row.decoder === "@jsquash/jpeg");
  if (rival?.ratio === undefined) return undefined;
  return {
    goal: `${format} ${size}: at most ${limit}× @jsquash/jpeg`,
    pass: rival.ratio <= limit,
    figure: times(rival.ratio),
  };
}

function memoryGoal(rows: readonly Row[], format: Row["format"], limit: number): Goal | undefined {
  const bytes = rows.find((row) => row.format === format && row.size === "12 MP" && row.ours)?.wasmBytes;
  if (bytes === undefined) return undefined;
  return {
    goal: `${format} 12 MP: at most ${limit} MB of wasm memory`,
    pass: bytes <= limit * 2 ** 20,
    figure: `${megabytes(bytes)} MB`,
  };
}

/** Faster than each rival's decoding alone, for all but JPEG. */
function fasterGoals(rows: readonly Row[]): Goal[] {
  return rows
    .filter(({ ours, format }) => ours && !format.startsWith("JPEG"))
    .map(({ format, size }) => {
      const rivals = rows.filter((row) => row.format === format && row.size === size && !row.ours);
      const ran = rivals.flatMap(({ decoder, ratio }) => (ratio === undefined ? [] : [{ decoder, ratio }]));
      const slower = ran.toSorted((a, b) => b.ratio - a.ratio);
      const lost = slower.filter(({ ratio }) => ratio >= 1);
      const named = lost.length > 0 ? lost : slower.slice(0, 1);
      return {
        goal: `${format} ${size}: faster than every rival that runs`,
        pass: ran.length > 0 && lost.length === 0,
        figure: named.map(({ decoder, ratio }) => `${times(ratio)} ${decoder}`).join(", "),
      };
    });
}

export function goalsOf(rows: readonly Row[]): Goal[] {
  const goals = [
    jpegGoal(rows, { format: "JPEG", size: "12 MP" }, 0.4),
    memoryGoal(rows, "JPEG", 15),
    jpegGoal(rows, { format: "JPEG", size: "1080p" }, 0.8),
    jpegGoal(rows, { format: "JPEG progressive", size: "12 MP" }, 0.4),
    memoryGoal(rows, "JPEG progressive", 15),
    jpegGoal(rows, { format: "JPEG progressive", size: "1080p" }, 0.8),
  ];
  return [...goals.filter((goal) => goal !== undefined), ...fasterGoals(rows)];
}

const HEAD = [
  "image",
  "decoder",
  "ms of CPU",
  "ours ÷ it",
  "ms by the clock",
  "ours ÷ it",
  "wasm MB",
  "output MB",
  "process MB",
];

const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

export const heading = (): string => `${line(HEAD)}\n${line(HEAD.map((_, column) => (column < 2 ? "---" : "---:")))}`;

/** The rows of one image. */
export function toMarkdown(rows: readonly Row[]): string {
  return rows
    .map((row, i) => {
      const image = i === 0 ? `${row.format} ${row.size}, ${(row.fileBytes / 1e6).toFixed(2)} MB` : "";
      const name = `${row.ours ? `**${row.decoder}**` : row.decoder}${row.adapted ? " ¹" : ""}`;
      if (row.failure !== undefined) {
        const reason = row.failure.replaceAll("|", "\\|").replaceAll("\n", " ");
        return line([image, name, "does not run", "", "", "", "", "", reason]);
      }
      return line([
        image,
        name,
        row.cpuMs?.toFixed(1) ?? "",
        i === 0 ? "" : times(row.ratio),
        row.wallMs?.toFixed(1) ?? "",
        i === 0 ? "" : times(row.wallRatio),
        row.wasmBytes === 0 ? "–" : megabytes(row.wasmBytes),
        megabytes(row.outputBytes),
        megabytes(row.residentBytes),
      ]);
    })
    .join("\n");
}

export const NOTES = `
Ours goes from the file to the input of a model, 224 × 224; the others only decode. Every decoder runs in a workerd of its
own; they take turns, round by round, after a warm-up. Figures are medians over the rounds, ratios those of the times
within a round. CPU is that of all threads of the process, with its garbage collection: what to trust when the machine is
busy. "wasm" and "output" are what the first decode leaves allocated, in WebAssembly's memories and in the array it
returns; "process" is by how much the process has grown at the most during that decode, once the file is there.
¹ As published it does not start in workerd, since it compiles its module from bytes; here the module is imported.`;

export const goalsToMarkdown = (goals: readonly Goal[]): string =>
  [
    "| goal | | figure |",
    "|---|---|---|",
    ...goals.map(({ goal, pass, figure }) => line([goal, pass ? "pass" : "**fail**", figure])),
  ].join("\n");
