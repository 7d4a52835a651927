/** Tables of Markdown. */
export type Cells = readonly string[];

const line = (cells: Cells) =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;

/** @param left How many columns are text; the others are figures. */
export const head = (names: Cells, left: number): string =>
  `${line(names)}\n${line(names.map((_, column) => (column < left ? "---" : "---:")))}`;

export const rows = (cells: readonly Cells[]): string => cells.map(line).join("\n");

export const ms = (value: number): string => value.toFixed(1);
export const times = (value: number | undefined): string => (value === undefined ? "" : `${value.toFixed(2)}×`);
