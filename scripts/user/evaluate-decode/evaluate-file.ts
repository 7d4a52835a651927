/** Decodes one file with the labeler, at full scale and with `auto`, and with Pillow and TensorFlow Lite. */
import { readFile, stat } from "node:fs/promises";
import { compareLabels, comparePixels, type LabelDifference, labelsFrom, type PixelDifference } from "./compare.ts";
import type { FoundFile } from "./files.ts";
import type { PixelProcess } from "./pixels.ts";
import type { Answer, Labelled, Product } from "./product.ts";
import type { InputTask, ReferenceAnswer, ReferenceProcess } from "./reference.ts";

/** The programs and parameters that every file is evaluated with. */
export interface Bench {
  readonly product: Product;
  readonly pixels: PixelProcess;
  /** Absent without Python. */
  readonly reference: ReferenceProcess | undefined;
  readonly labels: readonly string[];
  /** The parameters of POST /label, without `scale`. */
  readonly query: Readonly<Record<string, string>>;
  readonly task: InputTask;
  /** The setting MAX_BODY_BYTES: a larger file is not read. */
  readonly maxBytes: number;
}

export interface Beside extends Partial<LabelDifference> {
  readonly pixels?: PixelDifference;
}

export interface FileResult {
  readonly file: string;
  /** Why the file was not sent; the other fields are absent then. */
  readonly unread?: string;
  readonly labeler?: Answer;
  readonly reference?: ReferenceAnswer;
  /** The labeler at full scale compared with Pillow and TensorFlow Lite, if both have decoded the file. */
  readonly full?: Beside;
  /** `auto` compared with the full scale, if `auto` decodes at a smaller one. */
  readonly auto?: Beside & { readonly scale: string };
}

const isLabelled = (answer: Answer): answer is Labelled => "labels" in answer;

async function besideReference(
  bench: Bench,
  bytes: Uint8Array<ArrayBuffer>,
  ours: Labelled,
  reference: ReferenceAnswer | undefined,
): Promise<Beside | undefined> {
  if (reference === undefined || "error" in reference) return undefined;
  const pixels = await bench.pixels.decode(bytes, bench.task, "full");
  const labels = reference.confidences && compareLabels(ours.labels, labelsFrom(reference.confidences, bench.labels));
  return { ...labels, ...(pixels && { pixels: comparePixels(pixels, reference.pixels) }) };
}

async function besideFull(bench: Bench, bytes: Uint8Array<ArrayBuffer>, full: Labelled): Promise<FileResult["auto"]> {
  const auto = await bench.product.ask(bytes, { ...bench.query, scale: "auto" });
  if (!isLabelled(auto) || auto.scale === undefined || auto.scale === full.scale) return undefined;
  const decode = (scale: "auto" | "full") => bench.pixels.decode(bytes, bench.task, scale);
  const [small, large] = [await decode("auto"), await decode("full")];
  const pixels = small && large && comparePixels(small, large);
  return { scale: auto.scale, ...compareLabels(auto.labels, full.labels), ...(pixels && { pixels }) };
}

/** @returns Undefined if the path does not name a file but, for example, a link to a folder. */
export async function evaluateFile(bench: Bench, { path, name }: FoundFile): Promise<FileResult | undefined> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    const found = await stat(path);
    if (!found.isFile()) return undefined;
    if (found.size > bench.maxBytes) return { file: name, unread: "larger than MAX_BODY_BYTES" };
    bytes = new Uint8Array(await readFile(path));
  } catch (error) {
    return { file: name, unread: (error as NodeJS.ErrnoException).code ?? (error as Error).message };
  }
  const [labeler, reference] = await Promise.all([
    bench.product.ask(bytes, { ...bench.query, scale: "full" }),
    bench.reference?.ask(path),
  ]);
  if (!isLabelled(labeler)) return { file: name, labeler, ...(reference && { reference }) };
  const full = await besideReference(bench, bytes, labeler, reference);
  const auto = await besideFull(bench, bytes, labeler);
  return { file: name, labeler, ...(reference && { reference }), ...(full && { full }), ...(auto && { auto }) };
}
