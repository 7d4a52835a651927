/** Parameters that a body has beside its images: they mean the same as in the query. */
import { LabelerError } from "../errors.ts";
import { cut, quote } from "../validation/quote.ts";
import { REPEATABLE } from "./query.ts";

/** Values by their names, of most names one; without a prototype, since a caller chooses the names. */
export type BodyParameters = Readonly<Record<string, readonly string[]>>;

export class ParameterList {
  readonly #source: string;
  readonly values: Record<string, string[]> = Object.create(null);

  /** @param source Where they are, for errors: "the form". */
  constructor(source: string) {
    this.#source = source;
  }

  /** @throws LabelerError of kind bad-parameter if there is one of that name already, which may not be repeated. */
  add(name: string, value: string): void {
    const others = this.values[name] ?? [];
    if (others.length > 0 && !REPEATABLE.includes(name)) {
      throw new LabelerError("bad-parameter", `${cut(name)} is given more than once in ${this.#source}; give it once.`);
    }
    this.values[name] = [...others, value];
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
  for (const [name, values] of Object.entries(parameters)) {
    const other = all[name]?.find((given) => !values.includes(given));
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
