/** What can be asked of the results, wherever they are stored: methods of the Durable Object, all of which return promises. */
import type { Results } from "./object.ts";

/** The names of the methods. */
export const METHODS = ["has", "put", "get", "list", "erase", "check", "pushStatus", "retryPush"] as const;
export type Method = (typeof METHODS)[number];

/** All arguments and values are JSON. */
export type ResultsApi = {
  readonly [M in Method]: (...args: Parameters<Results[M]>) => Promise<Awaited<ReturnType<Results[M]>>>;
};

/** The outcome of a call that another process has made: a value, or an error with what the runtime adds to it. */
export type Outcome =
  | { readonly value: unknown }
  | {
      readonly error: {
        readonly message: string;
        readonly overloaded?: boolean | undefined;
        readonly retryable?: boolean | undefined;
      };
    };
