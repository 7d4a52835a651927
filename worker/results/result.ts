/** The stored result of a submitted image: its labels or the error, and the metadata from its sender. */
import type { Label } from "../model/probabilities.ts";

/** A region of an image with its labels. */
export interface StoredRegion {
  readonly name: string;
  readonly labels: readonly Label[];
}

/** A result to be stored. */
export interface NewResult {
  readonly id: string;
  /** When the image was taken or submitted, ISO 8601. */
  readonly time: string;
  readonly device: string | null;
  readonly model: string;
  /** Labels by confidence, the top-1 label first; empty if the image could not be read, or has several regions. */
  readonly results: readonly Label[];
  /** The regions in their order, if the image was not labelled as one. */
  readonly regions?: readonly StoredRegion[] | undefined;
  /** Why there are no labels, or how much of the image is missing. */
  readonly error?: string | undefined;
  /** Further fields that the sender wants back. */
  readonly meta: Readonly<Record<string, string>>;
}

/** A stored result, with the field names of the JSON response. */
export interface StoredResult {
  /** The cursor after this row: a string, since eKuiper would write a large number as 2.000001e+06. */
  readonly next: string;
  readonly id: string;
  readonly time: string;
  readonly device: string | null;
  readonly model: string;
  /** The top-1 label and its confidence; "" and 0 if there are no labels. */
  readonly label: string;
  readonly confidence: number;
  readonly results: Label[];
  /** The labels of each region by its name. */
  readonly regions?: Record<string, Label[]>;
  readonly error?: string;
  readonly meta: Record<string, string>;
}

/** Limits of a row, which keep stored results small. Lengths are in characters. */
export const BOUNDS = { id: 128, device: 128, metaFields: 16, metaName: 64, metaValue: 512, labels: 100, error: 500 };

const CURSOR = /^r?(\d{1,15})$/;

/** The cursor after row number `seq`. */
export const cursor = (seq: number): string => `r${seq}`;

/** The row number in a cursor, 0 for the start; undefined if the text is not a cursor. */
export function parseCursor(text: string): number | undefined {
  const [, digits] = CURSOR.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** The results to erase: those that fit all that is given. */
export interface Selection {
  readonly id?: string | undefined;
  readonly device?: string | undefined;
  /** Only rows before this row number. */
  readonly before?: number | undefined;
  /** Only images that were taken before this time, ISO 8601 in UTC. */
  readonly takenBefore?: string | undefined;
}
