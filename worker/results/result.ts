/** What is kept of an image that was handed over: its labels or why there are none, and what the sender said of it. */
import type { Label } from "../model/probabilities.ts";

/** A region of an image with its labels. */
export interface StoredRegion {
  readonly name: string;
  readonly labels: readonly Label[];
}

/** What goes into the store. */
export interface NewResult {
  readonly id: string;
  /** When the image was taken or handed over, ISO 8601. */
  readonly time: string;
  readonly device: string | null;
  readonly model: string;
  /** By confidence, best first; empty where the image could not be read, or has several regions. */
  readonly results: readonly Label[];
  /** The regions in their order, where the image was not labelled as one. */
  readonly regions?: readonly StoredRegion[] | undefined;
  /** Why there are no labels, or what is missing of the image. */
  readonly error?: string | undefined;
  /** Whatever else the sender wants back. */
  readonly meta: Readonly<Record<string, string>>;
}

/** What comes out of it, with the fields' names as they are in JSON. */
export interface StoredResult {
  /** The cursor behind this row: a text, since eKuiper would write a large number as 2.000001e+06. */
  readonly next: string;
  readonly id: string;
  readonly time: string;
  readonly device: string | null;
  readonly model: string;
  /** Of the best result; "" and 0 where there is none. */
  readonly label: string;
  readonly confidence: number;
  readonly results: Label[];
  /** The labels of each region by its name. */
  readonly regions?: Record<string, Label[]>;
  readonly error?: string;
  readonly meta: Record<string, string>;
}

/** Bounds of a row, so that what is kept for long stays small. Lengths are in characters. */
export const BOUNDS = { id: 128, device: 128, metaFields: 16, metaName: 64, metaValue: 512, labels: 100, error: 500 };

const CURSOR = /^r?(\d{1,15})$/;

/** A cursor to the place behind row number `seq`. */
export const cursor = (seq: number): string => `r${seq}`;

/** The row number in a cursor, 0 for the start; undefined if it is none. */
export function parseCursor(text: string): number | undefined {
  const [, digits] = CURSOR.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
