/** The table of stored results, read anew every few seconds while it is open and the page is looked at. */
import { Refused, type StoredResult, storedResults } from "./api.ts";
import { find, labelElement, make, percent } from "./dom.ts";

const EVERY_MS = 3000;
const ROWS = 20;

/** Some browsers forget what the parts of a table are where they are laid out as blocks, as on a phone; these remind them. */
const ROLES = { thead: "rowgroup", tbody: "rowgroup", tr: "row", th: "columnheader" };

/** The top-1 label of each region. */
const regionLabels = (regions: NonNullable<StoredResult["regions"]>): string =>
  Object.entries(regions)
    .map(([name, [best]]) => `${name}: ${best?.label ?? "no label"}`)
    .join(", ");

/** Each cell has the name of its column, which a narrow screen shows in front of it. */
function row({ id, time, device, label, confidence, error, regions }: StoredResult): HTMLTableRowElement {
  const when = new Date(time);
  const found = regions !== undefined ? regionLabels(regions) : label ? labelElement(label) : "–";
  const cells: Record<string, Node | string> = {
    Time: make("time", { dateTime: time }, when.toLocaleString()),
    Device: device ?? "–",
    Label: error ? make("span", { className: "error" }, `error: ${error}`) : found,
    Confidence: typeof confidence === "number" && !error && regions === undefined ? percent(confidence) : "–",
    Id: id,
  };
  return make(
    "tr",
    { role: "row" },
    ...Object.entries(cells).map(([column, content]) => {
      const cell = make("td", { role: "cell" }, content);
      cell.dataset.column = column;
      return cell;
    }),
  );
}

export function setUpStored(): void {
  const details = find("#stored", HTMLDetailsElement);
  const table = find("#stored table", HTMLTableElement);
  const body = find("#stored tbody", HTMLTableSectionElement);
  const state = find("#stored-state", HTMLElement);
  /** A text that stays is not written again: screen readers would repeat it. */
  const report = (text: string) => {
    if (state.textContent !== text) state.textContent = text;
  };
  table.role = "table";
  for (const [tag, role] of Object.entries(ROLES)) {
    for (const part of table.querySelectorAll(tag)) part.role = role;
  }
  let timer: ReturnType<typeof setTimeout> | undefined;

  const read = async () => {
    if (!details.open) return;
    if (!document.hidden) {
      try {
        const results = await storedResults(ROWS);
        body.replaceChildren(...results.map(row));
        table.hidden = results.length === 0;
        report(results.length === 0 ? "Nothing is stored yet." : `The newest ${results.length}.`);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        report(error.message);
      }
      table.ariaBusy = "false";
    }
    clearTimeout(timer); // of another read, where the table was closed and opened meanwhile
    timer = setTimeout(read, EVERY_MS);
  };
  details.addEventListener("toggle", () => {
    if (details.open) {
      report("Loading the results…");
      table.ariaBusy = "true";
    }
    void read();
  });
}
