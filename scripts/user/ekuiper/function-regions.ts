/**
 * Looks up the regions of the models that SQL functions use: a function's schema names them, so that a rule reads
 * parking(self)->regions->bay1->label. The labeler knows them; if it is away, the installed ones stay.
 */
import type { IndexEntry } from "../../../worker/model/index-entry.ts";
import { CommandError } from "../../command-line/command.ts";
import type { Check } from "./checks.ts";
import type { Labeler } from "./service.ts";
import type { SqlFunction } from "./sql-function.ts";

const PATIENCE = 10_000;

type Model = Pick<IndexEntry, "name" | "regions"> & { readonly default: boolean };

/** The models of a labeler; undefined if it does not answer this machine, which other checks report. */
async function modelsOf({ url, token }: Labeler): Promise<readonly Model[] | undefined> {
  const headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  try {
    const response = await fetch(`${url}/models`, { headers, signal: AbortSignal.timeout(PATIENCE) });
    return response.ok ? ((await response.json()) as Model[]) : undefined;
  } catch {
    return undefined;
  }
}

/** The names of a function's regions: those of its parameters, otherwise those of its model. */
function namesFor(
  { query, regions }: SqlFunction,
  models: readonly Model[] | undefined,
): readonly string[] | undefined {
  const parameters = new URLSearchParams(query);
  const named = parameters.getAll("region").map((region) => region.split(":")[0] ?? "");
  if (named.length > 0) return named;
  if (models === undefined) return regions;
  const asked = parameters.get("model");
  const model = models.find(({ name, default: isDefault }) => (asked === null ? isDefault : name === asked));
  return model?.regions?.map(({ name }) => name);
}

/** @throws CommandError for a region whose name cannot be a field of a schema. */
function checkNames({ name }: SqlFunction, regions: readonly string[]): void {
  const wrong = regions.find((region) => !/^[A-Za-z]\w*$/.test(region));
  if (wrong === undefined) return;
  throw new CommandError(
    `The region ${wrong} of ${name}() cannot be a field in SQL. Rename it in model.json: a letter first, then letters, digits ` +
      "and underscores. Or leave the function out: labelImage() has a list, regions[0]->label.",
    1,
  );
}

/**
 * Looks up the regions of functions.
 *
 * @throws CommandError for a region whose name cannot be a field of a schema.
 */
export async function withRegions(
  labeler: Labeler,
  functions: readonly SqlFunction[],
): Promise<readonly SqlFunction[]> {
  if (functions.length === 0) return functions;
  const models = await modelsOf(labeler);
  return functions.map(({ regions: installed, ...own }) => {
    const regions = namesFor({ ...own, regions: installed }, models);
    if (regions === undefined) return own;
    checkNames(own, regions);
    return { ...own, regions };
  });
}

const listed = (names: readonly string[] | undefined) => names?.join(", ") || "none";

/**
 * Whether SQL knows the regions that the models have now.
 *
 * @param installed The functions as eKuiper has them. @param current The same, as withRegions() looks them up.
 * @returns An error for each function whose regions differ.
 */
export function checkRegions(installed: readonly SqlFunction[], current: readonly SqlFunction[]): Check[] {
  return installed.flatMap(({ name, regions }) => {
    const now = current.find((own) => own.name === name);
    if (now === undefined || listed(regions) === listed(now.regions)) return [];
    return [
      {
        name: `regions of ${name}()`,
        state: "error",
        detail: `The regions of its model are now: ${listed(now.regions)}. SQL still has: ${listed(regions)}.`,
        fix: "npm run ekuiper -- install writes them into the function's schema. Then use the new names in your rules.",
      },
    ];
  });
}
