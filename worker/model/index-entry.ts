/** model-assets/index.json: what is installed, written by scripts/lib/model-index.ts since a Worker cannot list a folder. */
import type { Crop } from "./spec.ts";

export const PRECISIONS = ["exact"] as const;
export type Precision = (typeof PRECISIONS)[number];

/** A model's folder. The fields after `error` are there when there is no error. */
export interface IndexEntry {
  /** The name of the folder. */
  readonly name: string;
  /** Which of the files that the Worker may need are there. */
  readonly files: readonly ("labels.txt" | "model.json")[];
  /** Of model.tflite. */
  readonly bytes: number;
  /** Of model.tflite, in hexadecimal. */
  readonly sha256: string;
  /** Why the folder is no model that can be used. */
  readonly error?: string;
  readonly description?: string;
  readonly input?: { readonly width: number; readonly height: number; readonly type: string };
  readonly classes?: number;
  readonly crop?: Crop;
  readonly precisions?: readonly Precision[];
  readonly source?: string;
  readonly licence?: string;
}

export interface ModelIndex {
  readonly models: readonly IndexEntry[];
}
