/** Determines the regions of a picture that are labelled: those of the model, or those that a request names. */
import { LabelerError } from "../errors.ts";
import { FRACTIONS_FORM, type Fractions, parseFractions } from "../image/fractions.ts";
import { mostRegions } from "../image/region-memory.ts";
import { nearestNames } from "../validation/nearest.ts";
import { quote } from "../validation/quote.ts";
import { oneOf } from "../validation/words.ts";
import { type Crop, REGION_NAME, type Region } from "./crop.ts";
import type { IndexEntry } from "./index-entry.ts";

/** A region in a request: its name, and its place unless the model defines it. */
export interface RegionChoice {
  readonly name: string;
  readonly crop?: Fractions | undefined;
}

const bad = (detail: string) => new LabelerError("bad-parameter", detail);

/** Reads NAME, or NAME:x0,y0,x1,y1. @returns A string that says what is wrong, to follow the name of the parameter. */
export function parseRegion(text: string): RegionChoice | string {
  const [name = "", ...rest] = text.split(":");
  const form = `must be NAME, or NAME:${FRACTIONS_FORM}`;
  if (!REGION_NAME.test(name)) return `${form}; a name has 1 to 64 letters, digits, dots, dashes and underscores`;
  if (rest.length === 0) return { name };
  const crop = parseFractions(rest.join(":"));
  return crop === undefined ? form : { name, crop };
}

/** The place of a region. @throws LabelerError of kind bad-parameter if the model cannot label one of this name. */
function placed({ name, crop }: RegionChoice, { name: model, regions = [], headPerRegion }: IndexEntry): Region {
  const known = regions.find((region) => region.name === name)?.crop;
  const found = headPerRegion && known === undefined ? undefined : (crop ?? known);
  if (found !== undefined) return { name, crop: found };
  const names = regions.map((region) => region.name);
  if (names.length === 0) {
    throw bad(
      `region: the model "${model}" has no regions, so that ${quote(name)} needs a place: ${name}:x0,y0,x1,y1.`,
    );
  }
  const near = nearestNames(name, names);
  const reason = crop === undefined ? "" : ", and was taught for each of its regions apart";
  const hint = near.length > 0 ? `Did you mean ${oneOf(near)}?` : `It has ${oneOf(names)}.`;
  throw bad(`region: the model "${model}" has no region ${quote(name)}${reason}. ${hint}`);
}

export interface RegionOptions {
  readonly crop?: Crop | undefined;
  readonly regions?: readonly RegionChoice[] | undefined;
  /** Whether the response can hold the labels of only one region. */
  readonly oneAnswer?: boolean | undefined;
}

/**
 * The regions that are labelled, in their order.
 *
 * @returns Undefined if the picture is labelled as one.
 * @throws LabelerError of kind bad-parameter for a region that does not exist, for a crop beside regions, and for more
 *   than one region if the response holds only one.
 */
export function regionsFor(entry: IndexEntry, options: RegionOptions): readonly Region[] | undefined {
  const { crop, regions: asked, oneAnswer } = options;
  const regions = asked?.map((choice) => placed(choice, entry)) ?? entry.regions;
  if (regions === undefined) return undefined;
  if (crop !== undefined) throw bad("crop: is not for regions, which are rectangles themselves. Leave it out.");
  const twice = regions.find(({ name }, at) => regions.findIndex((other) => other.name === name) < at);
  if (twice !== undefined) throw bad(`region: ${quote(twice.name)} is given twice; a region has a name of its own.`);
  const most = entry.input === undefined ? regions.length : mostRegions(entry.input);
  if (regions.length > most)
    throw bad(`region: there are ${regions.length} regions; at most ${most} are labelled at once.`);
  if (oneAnswer && regions.length > 1) {
    const [first] = regions;
    throw bad(
      `region: this call answers for one region, and there are ${regions.length}. Name one, such as region=${first?.name}, ` +
        "or call POST /label for JSON with all of them.",
    );
  }
  return regions;
}
