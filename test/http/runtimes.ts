/** Runs the labeler as in `npm start`, and on workerd alone, for behaviour that must be the same on both. */
import { startLabeler } from "../../scripts/labeler/labeler.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";

/** For describe.each. */
export const RUNTIMES = [
  ["wrangler dev", startLabeler],
  ["workerd", startWorkerd],
] as const;
