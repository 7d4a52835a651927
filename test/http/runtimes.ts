/** Runs the labeler as in `npm start`, and on workerd alone, for behaviour that must be the same on both. */
import { startLabeler } from "../../scripts/labeler/labeler.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";

const ALL = [
  ["wrangler dev", startLabeler],
  ["workerd", startWorkerd],
] as const;

/** For describe.each. wrangler does not run the prelude of LABELER_PRELUDE. */
export const RUNTIMES = process.env.LABELER_PRELUDE === undefined ? ALL : ALL.slice(1);
