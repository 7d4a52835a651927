/** What the folder of a model says that is taught: its model.json, its regions, and its heads. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LabelerError } from "../../../../worker/errors.ts";
import { writeFractions } from "../../../../worker/image/fractions.ts";
import type { Region } from "../../../../worker/model/crop.ts";
import { parseDerivedSpec } from "../../../../worker/model/derived-spec.ts";
import { FILE_NAME } from "../../../../worker/model/names.ts";
import type { HeadData } from "../../../../worker/teaching/head.ts";
import { readHead } from "../../../../worker/teaching/head-file.ts";
import { CommandError } from "../../../command-line/command.ts";

/** Heads by the names of their regions; the name of a head for all is undefined. */
export type HeadsByRegion = ReadonlyMap<string | undefined, HeadData>;

export interface TaughtModel {
  readonly name: string;
  /** The model.json; empty if there is none. */
  readonly spec: Readonly<Record<string, unknown>>;
  readonly regions: readonly Region[];
  readonly heads: HeadsByRegion;
}

const hash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** The file of a head. @param region Its name; undefined for a head that serves all. */
export function headFileOf(region: string | undefined): string {
  if (region === undefined) return "head.bin";
  const file = `head-${region}.bin`;
  return FILE_NAME.test(file) ? file : `head-${hash(region)}.bin`; // the name of the region is too long
}

/** The rectangles of regions: how a head records that photos were cropped by them. */
const BY_REGIONS = "regions:";

/** How a head of one region records where its photos were cropped. */
export const cropOfRegion = ({ crop }: Region): string => `${BY_REGIONS}${writeFractions(crop)}`;

/** How a head that serves all regions records where its photos were cropped. */
export function cropOfRegions(regions: readonly Region[]): string {
  const places = regions.map(({ crop }) => writeFractions(crop)).sort();
  return `${BY_REGIONS}${hash(places.join(";"))}`;
}

/** Whether photos of the whole scene were cropped by region. */
export const isByRegions = ({ base }: HeadData): boolean => base.crop.startsWith(BY_REGIONS);

/** @returns The head; undefined if there is none, or one that cannot be read and is taught anew. */
async function headIn(path: string): Promise<HeadData | undefined> {
  const file = await readFile(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    return readHead(new Uint8Array(file));
  } catch {
    return undefined;
  }
}

/** The files of the heads that a model.json names, by region. */
export function headFiles({ head }: Readonly<Record<string, unknown>>): [region: string | undefined, file: string][] {
  const isFile = (file: unknown): file is string => typeof file === "string" && FILE_NAME.test(file);
  if (typeof head !== "object" || head === null) return [[undefined, isFile(head) ? head : headFileOf(undefined)]];
  return Object.entries(head).flatMap(([region, file]) => (isFile(file) ? [[region, file] as const] : [])) as [
    string,
    string,
  ][];
}

/** The regions of a model.json, which may lack heads for some of them. @throws CommandError that says what is wrong. */
function regionsIn({ head: _, ...spec }: Readonly<Record<string, unknown>>, path: string): readonly Region[] {
  if (spec.regions === undefined) return [];
  try {
    return parseDerivedSpec(JSON.stringify(spec))?.regions ?? [];
  } catch (error) {
    if (error instanceof LabelerError) throw new CommandError(`${path}: ${error.message}`, 1);
    throw error;
  }
}

async function specIn(path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return {};
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  } catch {
    // The error below says it.
  }
  throw new CommandError(`${path} does not contain a JSON object. Repair or remove it.`, 1);
}

/** Reads the folder of a model. @throws CommandError if its model.json is damaged. */
export async function readTaughtModel(models: string, name: string): Promise<TaughtModel> {
  const path = join(models, name, "model.json");
  const spec = await specIn(path);
  const heads = new Map<string | undefined, HeadData>();
  for (const [region, file] of headFiles(spec)) {
    const head = await headIn(join(models, name, file));
    if (head !== undefined) heads.set(region, head);
  }
  return { name, spec, regions: regionsIn(spec, path), heads };
}
