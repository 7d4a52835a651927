/** How much structure the JSON of a protocol may have, and the error of JSON that has more. */
import { type ErrorKind, LabelerError } from "../errors.ts";
import { group } from "../validation/words.ts";

/** Limits of a JSON body. Each is checked before the body is parsed. */
export interface JsonLimits {
  /** What the JSON is, as the subject of a sentence: "The inference request". */
  readonly subject: string;
  /** How a caller gets by with less, as a sentence. */
  readonly advice: string;
  /** Objects and lists within each other. */
  readonly depth: number;
  /** Values in lists and objects, without those of tensors. */
  readonly values: number;
  /** Fields of objects. */
  readonly fields: number;
  /** Bytes outside of long texts and tensors. */
  readonly bytes: number;
  /** The field whose lists of numbers are not parsed but kept as a NumberList, and how many numbers such a list may have. */
  readonly tensor?: { readonly field: string; readonly numbers: number };
}

/** Bytes outside of long texts and tensors, whatever the protocol: JSON.parse() takes some 20 ms for as many. */
export const MAX_STRUCTURE = 1 << 20;

/** A field's name is no longer than this, in bytes. */
export const MAX_NAME = 256;

/** @param what There is too much of. */
export const beyond = (
  { subject, advice }: JsonLimits,
  limit: number,
  what: string,
  kind: ErrorKind = "bad-body",
): LabelerError =>
  new LabelerError(kind, `${subject} has more than ${group(limit)} ${what}, which is the limit. ${advice}`);
