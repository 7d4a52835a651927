/** Parameters that a body has beside its images: they mean the same as in the query. */
import { LabelerError } from "../errors.ts";
import { cut, quote } from "../validation/quote.ts";
import { REPEATABLE } from "./query.ts";

/**
 * Values by their names, a list for those that may be repeated; without a prototype, since a caller chooses the names.
 */
export type BodyParameters = Readonly<Record<string, string | readonly string[]>>;

const listOf = (values: string | readonly string[] | undefined): readonly string[] =>
  typeof values === "string" ? [values] : (values ?? []);

export class ParameterList {
  readonly #source: string;
  readonly values: Record<string, string | readonly string[]> = Object.create(null);

  /** @param source Where they are, for errors: "the form". */
  constructor(source: string) {
    this.#source = source;
  }

  /** @throws LabelerError of kind bad-parameter if there is one of that name already, which may not be repeated. */
  add(name: string, value: string): void {
    const given = this.values[name];
    if (REPEATABLE.includes(name)) {
      this.values[name] = [...listOf(given), value];
      return;
    }
    if (given !== undefined) {
      throw new LabelerError("bad-parameter", `${cut(name)} is given more than once in ${this.#source}; give it once.`);
    }
    this.values[name] = value;
  }
}

/**
 * Every parameter of a request.
 *
 * @param queries Of the query. @param source Where the others are, for errors: "the form".
 * @throws LabelerError of kind bad-parameter if the query and the body contradict each other.
 */
export function withBodyParameters(
  queries: Readonly<Record<string, string[]>>,
  parameters: BodyParameters,
  source: string,
): Record<string, string[]> {
  const all: Record<string, string[]> = Object.assign(Object.create(null), queries);
  for (const [name, given] of Object.entries(parameters)) {
    const values = listOf(given);
    const other = all[name]?.find((value) => !values.includes(value));
    if (other !== undefined) {
      throw new LabelerError(
        "bad-parameter",
        `${cut(name)} is ${quote(other)} in the query and ${quote(values[0])} in ${source}; give it once.`,
      );
    }
    all[name] ??= [...values];
  }
  return all;
}
