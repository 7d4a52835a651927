/** From what was measured of inference to rows with ratios, and to Markdown. */
import type { Condition } from "./conditions.ts";
import { type Cells, head, rows as lines, ms, times } from "./markdown.ts";
import type { Result } from "./measure.ts";
import type { Network } from "./models.ts";
import { medians } from "./statistics.ts";

export interface SpeedRow {
  readonly model: string;
  readonly title: string;
  /** V8's flags, in words. */
  readonly condition: string;
  readonly engine: string;
  readonly key: string;
  readonly ours: boolean;
  readonly failure?: string;
  readonly rounds: number;
  /** Medians over the rounds, of one inference, in ms. */
  readonly cpuMs?: number;
  readonly wallMs?: number;
  /** How many times as fast as these it is: their median of processor time divided by its own. */
  readonly overTfjs?: number | undefined;
  readonly overLiteRT?: number | undefined;
  /** What a model of ours keeps in tfjs' memory: weights, activations, scratch. */
  readonly residentBytes?: number | undefined;
  /** What the relaxed dot product of four bytes is exact for; false if it is not exact. */
  readonly exactDot?: "unsigned" | "signed" | false | undefined;
  readonly heapMB?: number | undefined;
  readonly wasmMB?: number | undefined;
  readonly processMB?: number | undefined;
}

/** The rows of one model under one condition. */
export function speedRows({ name, title }: Network, condition: Condition, results: readonly Result[]): SpeedRow[] {
  const time = (of: string) => {
    const samples = results.find(({ engine }) => engine.key === of)?.samples ?? [];
    return samples.length === 0 ? undefined : medians(samples).cpu;
  };
  return results.map(({ engine, failure, samples, details, memory }) => {
    const row = {
      model: name,
      title,
      condition: condition.name,
      engine: engine.name,
      key: engine.key,
      ours: engine.ours,
      rounds: samples.length,
    };
    if (samples.length === 0) return { ...row, failure: failure ?? "" };
    const { cpu, wall } = medians(samples);
    const over = (other: number | undefined) => (other === undefined ? undefined : other / cpu);
    return {
      ...row,
      cpuMs: cpu,
      wallMs: wall,
      overTfjs: over(time("tfjs")),
      overLiteRT: over(time("litert")),
      residentBytes: details?.residentBytes,
      exactDot: details?.exactDot,
      heapMB: memory?.isolate?.heap,
      wasmMB: memory?.isolate?.wasm,
      processMB: memory?.residentMB,
    };
  });
}

const HEAD = [
  "model",
  "V8",
  "engine",
  "ms of CPU",
  "ms by the clock",
  "× stock tfjs",
  "× LiteRT.js",
  "model MB",
  "heap MB",
  "wasm MB",
  "process MB",
];

export const speedHead = (): string => head(HEAD, 3);

const figure = (value: number | undefined, digits: number) => value?.toFixed(digits) ?? "";

function cells(row: SpeedRow, first: boolean): Cells {
  const name = row.ours ? `**${row.engine}**` : row.engine;
  const left = [first ? row.title : "", first ? row.condition : "", name];
  if (row.cpuMs === undefined || row.wallMs === undefined) {
    return [...left, "does not run", "", "", "", "", "", "", (row.failure ?? "").split("\n")[0]];
  }
  return [
    ...left,
    ms(row.cpuMs),
    ms(row.wallMs),
    times(row.overTfjs),
    times(row.overLiteRT),
    figure(row.residentBytes && row.residentBytes / 2 ** 20, 1),
    figure(row.heapMB, 1),
    figure(row.wasmMB, 1),
    figure(row.processMB, 0),
  ];
}

/** The lines of one model under one condition. */
export const speedLines = (rows: readonly SpeedRow[]): string => lines(rows.map((row, i) => cells(row, i === 0)));
