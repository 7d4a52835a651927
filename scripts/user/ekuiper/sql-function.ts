/** The user's SQL functions: labelImage() under another name, with other parameters, such as another model. */
import { parseQuery } from "../../../worker/http/query.ts";
import { UsageError } from "../../command-line/command.ts";
import type { Service } from "./api.ts";
import { BUILTIN_FUNCTIONS, RESERVED_WORDS } from "./builtin-functions.ts";

/** The functions that the service always offers. */
export const FUNCTIONS = ["labelImage", "labelText", "labelOf"] as const;

/** The header that carries a function's parameters; its address has no place for them. */
export const QUERY_HEADER = "X-Label-Query";

export interface SqlFunction {
  /** The name by which rules call it. */
  readonly name: string;
  /** Its parameters as a query, without the question mark: model=efficientnet_lite0&crop=center&min=0.4. */
  readonly query: string;
  /** The regions for which its answer has fields; see function-regions.ts. */
  readonly regions?: readonly string[] | undefined;
}

/**
 * The header that records a function's regions: for an install that cannot reach the labeler, and for the labeler, which
 * reports in `error` that one of them was renamed.
 */
export const REGIONS_HEADER = "X-Label-Regions";

const EXAMPLE = "Give one such as door=efficientnet_lite0?crop=center&min=0.4, or door=?min=0.4 for the default model.";
const FORM = /^(?<name>[^=?]*)=(?<model>[^?]*)(?:\?(?<rest>.*))?$/s;

/** Why no function can have this name; undefined if one can. */
function whyNotName(name: string): string | undefined {
  if (!/^[A-Za-z]\w{0,63}$/.test(name)) return "a name has letters, digits and underscores, and begins with a letter";
  const lower = name.toLowerCase();
  if (FUNCTIONS.some((own) => own.toLowerCase() === lower))
    return `${name} is there already, with the labeler's defaults`;
  if (BUILTIN_FUNCTIONS.has(lower)) return `eKuiper has a function ${lower} of its own`;
  if (RESERVED_WORDS.has(lower)) return `${name} is a word of eKuiper's SQL`;
  return undefined;
}

/** A name for a function that asks a model, near to the model's own, which may have dots, dashes and digits in front. */
export function suggestedName(model: string): string {
  const plain = model.replace(/\W/g, "_");
  return whyNotName(plain) === undefined ? plain : `ask_${plain}`.slice(0, 64);
}

/**
 * Parses NAME=MODEL?PARAMETERS, where MODEL and PARAMETERS are optional.
 *
 * @throws UsageError for an invalid name, and for parameters that the labeler would refuse.
 */
export function parseFunction(text: string): SqlFunction {
  const { name = "", model = "", rest = "" } = FORM.exec(text)?.groups ?? {};
  const refuse = (why: string) => new UsageError(`--function ${text}: ${why}. ${EXAMPLE}`);
  if (!FORM.test(text)) throw refuse("there is no = behind a name");
  const fault = whyNotName(name);
  if (fault !== undefined) throw refuse(fault);
  const parameters = new URLSearchParams([...(model === "" ? [] : [["model", model]]), ...new URLSearchParams(rest)]);
  if (parameters.size === 0) throw refuse("without model and parameters it would be labelImage");
  try {
    parseQuery(Object.fromEntries([...new Set(parameters.keys())].map((key) => [key, parameters.getAll(key)])));
  } catch (error) {
    throw refuse(error instanceof Error ? error.message.replace(/\.$/, "") : String(error));
  }
  return { name, query: parameters.toString() };
}

/**
 * Parses the values of --function.
 *
 * @returns Undefined if there are none, so that the installed functions stay; an empty list for the value "none".
 * @throws UsageError as parseFunction() does, and for a name that is given twice.
 */
export function parseFunctions(texts: readonly string[] | undefined): SqlFunction[] | undefined {
  if (texts === undefined) return undefined;
  if (texts.length === 1 && texts[0] === "none") return [];
  const functions = texts.map(parseFunction);
  const twice = functions.find(({ name }, index) => functions.findIndex((other) => other.name === name) < index);
  if (twice !== undefined) throw new UsageError(`--function ${twice.name} is given twice; a name has one meaning.`);
  return functions;
}

/** The user's functions that a service offers. */
export function functionsOf(service: Service | undefined): SqlFunction[] {
  return Object.values(service?.Interfaces ?? {}).flatMap(({ Functions, Options }) => {
    const query = Options?.headers?.[QUERY_HEADER];
    const regions = Options?.headers?.[REGIONS_HEADER]?.split(",");
    return query === undefined ? [] : Functions.map((name) => ({ name, query, ...(regions && { regions }) }));
  });
}

/** The names of all functions of a service that has these. */
export const namesOf = (functions: readonly SqlFunction[]): string[] => [
  ...FUNCTIONS,
  ...functions.map(({ name }) => name),
];

/** The function as lists show it: door (model=efficientnet_lite0&crop=center). */
export const described = ({ name, query, regions }: SqlFunction) =>
  `${name} (${query}${regions === undefined ? "" : `; regions ${regions.join(", ")}`})`;

/** The call of the labeler that a function makes. */
export const pathOf = ({ regions }: SqlFunction): string => (regions === undefined ? "labelImage" : "labelRegions");
