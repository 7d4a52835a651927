/**
 * The whole way, warm: a JPEG of 12 megapixels in over HTTP, labels out. The labeler as it is deployed, beside what one
 * would put together of npm: @jsquash/jpeg, @jsquash/resize (bicubic, antialiased) and stock tfjs.
 */

import type { Sample } from "../../labeler/worker-process.ts";
import { bundleEngine } from "./bundle.ts";
import { WorkerdCell } from "./cell.ts";
import type { Labelled } from "./cold.ts";
import { head, rows as lines, ms, times } from "./markdown.ts";
import type { Prepared } from "./models.ts";
import { medians } from "./statistics.ts";

export interface WayRow {
  readonly model: string;
  readonly title: string;
  readonly engine: string;
  readonly ours: boolean;
  /** Medians of one image, in ms. */
  readonly cpuMs: number;
  readonly wallMs: number;
  /** Processor time, divided by that of the other. */
  readonly ofOther: number;
  readonly label: string;
}

const OTHER = "@jsquash/jpeg, @jsquash/resize, stock tfjs-wasm";

const WARM_UP = 15;

/** @param product The configuration of bundleProduct(). */
export async function measureWay(model: Prepared, product: string, rounds: number): Promise<WayRow[]> {
  // Only now: it encodes with what the command installs.
  const { inputs } = await import("../decode/inputs.ts");
  const images = inputs((format, size) => format === "JPEG" && size === "12 MP");
  const { value: input } = await images.next();
  if (input === undefined) throw new Error("the image of 12 megapixels was not made");
  const precisions = model.quantised ? ["quantised"] : ["exact", "fast"];
  const runs: { name: string; ours: boolean; path: string; cell: WorkerdCell; samples: Sample[]; label: string }[] = [];
  try {
    const open = async (name: string, ours: boolean, config: string, path: string) => {
      const cell = await WorkerdCell.start(config);
      runs.push({ name, ours, path, cell, samples: [], label: "" });
    };
    for (const precision of precisions) {
      const path = `/label?model=${model.name}&precision=${precision}&crop=squash`;
      await open(`the labeler, ${precision}`, true, product, path);
    }
    await open(OTHER, false, await bundleEngine("stock-way", []), `/label?model=${model.name}`);
    for (let round = -WARM_UP; round < rounds; round++) {
      for (const run of runs) {
        const { answer, sample } = await run.cell.timed<Labelled[]>(run.path, input.bytes);
        run.label = answer[0].label;
        if (round >= 0) run.samples.push(sample);
      }
    }
  } finally {
    await Promise.all(runs.map(({ cell }) => cell.stop()));
  }
  const other = medians(runs.find(({ ours }) => !ours)?.samples ?? []).cpu;
  return runs.map(({ name, ours, samples, label: found }) => {
    const { cpu, wall } = medians(samples);
    const figures = { cpuMs: cpu, wallMs: wall, ofOther: cpu / other, label: found };
    return { model: model.name, title: model.title, engine: name, ours, ...figures };
  });
}

export const wayHead = (): string =>
  head(["JPEG of 12 MP to labels", "engine", "first label", "ms of CPU", "ms by the clock", "of the other's CPU"], 3);

export const wayLines = (rows: readonly WayRow[]): string =>
  lines(
    rows.map((row, i) => [
      i === 0 ? row.title : "",
      row.ours ? `**${row.engine}**` : row.engine,
      row.label,
      ms(row.cpuMs),
      ms(row.wallMs),
      times(row.ofOther),
    ]),
  );
