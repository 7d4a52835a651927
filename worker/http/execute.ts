/** The Execute of a request. */
import type { Execute } from "../runtime/execute.ts";
import { inTurn } from "../turns.ts";

/** What inTurn() takes for a millisecond of work, in bytes; it does not wait for less. */
const MILLISECOND = 129 << 10;

export const execute: Execute = (units, work) => inTurn(units * MILLISECOND, work);
