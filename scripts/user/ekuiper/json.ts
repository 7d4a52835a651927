/**
 * What `npm run ekuiper -- … --json` prints: the shape that docs/reference/commands.md describes, even if the objects
 * have more fields.
 */
import type { Failure } from "./carry-out.ts";
import type { Check } from "./checks.ts";
import type { Installed } from "./install.ts";
import type { Loop } from "./parts.ts";
import type { Step } from "./plan.ts";
import { type PrintableStep, printable } from "./printable.ts";
import type { Status } from "./status.ts";
import type { Tried } from "./try.ts";

/** A check; `fix` is present if something should be done. */
const checkJson = ({ name, state, detail, fix }: Check): Check =>
  state === "ok" || fix === undefined ? { name, state, detail } : { name, state, detail, fix };

interface FailureJson {
  readonly step: PrintableStep;
  readonly reason: string;
  readonly undone: readonly PrintableStep[];
  readonly left: readonly PrintableStep[];
}

const failureJson = ({ step, reason, undone, left }: Failure): FailureJson => ({
  step: printable(step),
  reason,
  undone: undone.map(printable),
  left: left.map(printable),
});

const printed = (value: object) => JSON.stringify(value, null, 2);

export const installJson = ({ version, done, kept, steps, checks, failure }: Installed): string =>
  printed({
    ekuiper: version,
    done,
    kept,
    steps: steps.map(printable),
    checks: checks.map(checkJson),
    failure: failure && failureJson(failure),
  });

export const statusJson = ({ version, installed, pending, checks }: Status): string =>
  printed({ ekuiper: version, installed, pending: pending.map(printable), checks: checks.map(checkJson) });

export const testJson = ({
  label,
  loop,
  hops,
  message,
  checks,
}: Tried & { loop: Loop; checks: readonly Check[] }): string =>
  printed({ label, loop, hops: hops.map(({ what, ms }) => ({ what, ms })), message: JSON.parse(message), checks });

export const uninstallJson = (steps: readonly Step[]): string => printed({ steps: steps.map(printable) });

/** One line of `watch`. */
export const messageJson = (topic: string, message: string): string =>
  JSON.stringify({ time: new Date().toISOString(), topic, message });
