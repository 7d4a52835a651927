/**
 * Accumulates the results of many files. It keeps counts and exceptions, but not the results, since a folder may be
 * huge.
 */
import type { Beside, FileResult } from "./evaluate-file.ts";
import type { Answer, Labelled } from "./product.ts";
import type { Reference } from "./reference.ts";

/** The largest difference from TensorFlow Lite's confidence that is allowed with `exact`. */
export const EXACT = 1e-5;

export interface Sum {
  files: number;
  /** The number of files whose pixels were compared, and of those with equal pixels. */
  pixelsCompared: number;
  pixelsEqual: number;
  largestPixel: number;
  /** The number of files whose labels were compared. */
  labelsCompared: number;
  sameTop1: number;
  withinExact: number;
  largestConfidence: number;
}

const emptySum = (): Sum => ({
  files: 0,
  pixelsCompared: 0,
  pixelsEqual: 0,
  largestPixel: 0,
  labelsCompared: 0,
  sameTop1: 0,
  withinExact: 0,
  largestConfidence: 0,
});

function add(sum: Sum, { pixels, sameTop1, confidence }: Beside): void {
  sum.files++;
  if (pixels !== undefined) {
    sum.pixelsCompared++;
    if (pixels.values === 0) sum.pixelsEqual++;
    sum.largestPixel = Math.max(sum.largestPixel, pixels.largest);
  }
  if (confidence !== undefined) {
    sum.labelsCompared++;
    if (sameTop1) sum.sameTop1++;
    if (confidence <= EXACT) sum.withinExact++;
    sum.largestConfidence = Math.max(sum.largestConfidence, confidence);
  }
}

/** Files that were refused for the same reason. */
export interface Refusals {
  readonly by: "labeler" | "Pillow";
  readonly reason: string;
  files: number;
  /** How many of these the other decoder decodes. */
  decodedByOther: number;
  readonly example: string;
}

/** Files whose pixels or labels differ from Pillow's and TensorFlow Lite's for the same reason. */
export interface Differences {
  readonly reason: string;
  readonly sum: Sum;
  readonly example: string;
}

export interface Exception extends Beside {
  readonly file: string;
  readonly reason: string;
}

export const UNEXPLAINED = "unexplained";

/** Pillow's modes for 16-bit grey, which convert("RGB") clips at 255. */
const CLIPPED = /^(I|F)/;

/** Why a file may have other pixels than Pillow gives it. */
function reasonFor({ missing, warnings, scale }: Labelled, { mode, partial }: Reference): string {
  if (missing > 0) return "the file ends early";
  if (warnings > 0) return "the file is damaged";
  if (scale !== undefined) return "decoded at a smaller scale, since it does not fit the memory";
  if (partial !== null) return "Pillow decodes only a part of it";
  if (CLIPPED.test(mode)) return "16-bit grey, which Pillow clips to white";
  return UNEXPLAINED;
}

/** The first sentence of a reason, without the details that differ from file to file. */
const general = (reason: string): string =>
  (reason.split(/(?<=\.) (?=[A-Z])/)[0] ?? "")
    .replace(/\(?<[^>]*>\)?/g, "…")
    .replace(/"(?:[^"\\]|\\.)*"|'[^']*'|\bb'.*'/g, '"…"')
    .replace(/\b[0-9a-f]{2}(?: [0-9a-f]{2})+\b/g, "…")
    .replace(/\d+(?:\.\d+)?/g, "N")
    .slice(0, 150);

const isLabelled = (answer: Answer | undefined): answer is Labelled => answer !== undefined && "labels" in answer;

export class Totals {
  files = 0;
  /** How many files were decoded by the labeler, by Pillow, or by both; without Python all count as the labeler's. */
  readonly decodedBy = { both: 0, labeler: 0, Pillow: 0, neither: 0 };
  /** The labeler compared with Pillow and TensorFlow Lite, both at full scale. */
  readonly full = emptySum();
  /** `auto` compared with the full scale, if `auto` decodes at a smaller one. */
  readonly auto = emptySum();
  readonly refusals = new Map<string, Refusals>();
  readonly differences = new Map<string, Differences>();
  /** Files that differ from Pillow and TensorFlow Lite. */
  readonly exceptions: Exception[] = [];
  /** Files for which `auto` returns another top-1 label. */
  readonly changedByAuto: Exception[] = [];
  readonly faults: { readonly file: string; readonly fault: string }[] = [];
  readonly unread: { readonly file: string; readonly reason: string }[] = [];

  add(result: FileResult): void {
    const { file, unread, labeler, reference, full, auto } = result;
    this.files++;
    if (unread !== undefined) this.unread.push({ file, reason: unread });
    else {
      const theirs = reference !== undefined && !("error" in reference);
      this.decodedBy[isLabelled(labeler) ? (theirs ? "both" : "labeler") : theirs ? "Pillow" : "neither"]++;
    }
    if (full !== undefined && full.pixels === undefined) {
      this.faults.push({ file, fault: "the labeler has labelled it, but its decoder by itself gives no pixels" });
    }
    if (labeler !== undefined && "fault" in labeler) this.faults.push({ file, fault: labeler.fault });
    if (labeler !== undefined && "kind" in labeler) {
      const { status, kind, detail } = labeler;
      const decoded = reference !== undefined && !("error" in reference);
      this.#refuse("labeler", `${status} ${kind}: ${general(detail)}`, file, decoded);
    }
    if (reference !== undefined && "error" in reference) {
      this.#refuse("Pillow", general(reference.error), file, isLabelled(labeler));
    }
    if (full !== undefined && isLabelled(labeler) && reference !== undefined && !("error" in reference)) {
      add(this.full, full);
      const equal = (full.pixels?.values ?? 0) === 0 && (full.confidence ?? 0) <= EXACT && full.sameTop1 !== false;
      if (!equal) this.#differ(reasonFor(labeler, reference), file, full);
    }
    if (auto !== undefined) {
      add(this.auto, auto);
      const { scale, ...beside } = auto;
      if (!auto.sameTop1) this.changedByAuto.push({ file, reason: `decoded at ${scale}`, ...beside });
    }
  }

  #refuse(by: Refusals["by"], reason: string, file: string, decodedByOther: boolean): void {
    const key = `${by} ${reason}`;
    const known = this.refusals.get(key) ?? { by, reason, files: 0, decodedByOther: 0, example: file };
    known.files++;
    if (decodedByOther) known.decodedByOther++;
    this.refusals.set(key, known);
  }

  #differ(reason: string, file: string, beside: Beside): void {
    const known = this.differences.get(reason) ?? { reason, sum: emptySum(), example: file };
    add(known.sum, beside);
    this.differences.set(reason, known);
    this.exceptions.push({ file, reason, ...beside });
  }

  /** Whether the labeler did everything right: no fault, and no difference without a reason. */
  get passed(): boolean {
    return this.faults.length === 0 && !this.differences.has(UNEXPLAINED);
  }
}
