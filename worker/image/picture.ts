/** What every decoder gives: an image whose header has been read and whose rows can be had one by one. */
import type { Orientation } from "./orientation.ts";
import type { Size } from "./resize.ts";

/** Takes one row, [width, 3] RGB, 0..255. The array may be used again for the next row, so it must not be kept. */
export type RowSink = (row: Uint8Array) => void;

export interface Picture extends Size {
  /** How the rows lie in the picture. */
  orientation: Orientation;
  /** Decodes and hands over `height` rows from the top down. @throws LabelerError "broken-image" */
  rows(sink: RowSink): Promise<void>;
}
