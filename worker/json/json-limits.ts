/** Limits on the structure of a protocol's JSON, and the error for JSON that exceeds them. */
import { type ErrorKind, LabelerError } from "../errors.ts";
import { group } from "../validation/words.ts";

/** Limits of a JSON body. Each is checked before the body is parsed. */
export interface JsonLimits {
  /** The name of the body, as the subject of a sentence: "The inference request". */
  readonly subject: string;
  /** How a caller can stay within the limits, as a sentence. */
  readonly advice: string;
  /** Nesting depth of objects and lists. */
  readonly depth: number;
  /** Values in lists and objects, not counting those of tensors. */
  readonly values: number;
  /** Fields of objects. */
  readonly fields: number;
  /** Bytes outside long texts and tensors. */
  readonly bytes: number;
  /**
   * The field whose lists of numbers are kept as a NumberList instead of parsed, and the most numbers of such a list.
   */
  readonly tensor?: { readonly field: string; readonly numbers: number };
}

/** Bytes outside long texts and tensors, for all protocols: JSON.parse() takes about 20 ms for this many. */
export const MAX_STRUCTURE = 1 << 20;

/** The longest name of a field, in bytes. */
export const MAX_NAME = 256;

/** The error for JSON that exceeds a limit. @param what The plural of the items that are too many. */
export const beyond = (
  { subject, advice }: JsonLimits,
  limit: number,
  what: string,
  kind: ErrorKind = "bad-body",
): LabelerError =>
  new LabelerError(kind, `${subject} has more than ${group(limit)} ${what}, which is the limit. ${advice}`);
