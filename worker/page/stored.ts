/** The table of stored results, read anew every few seconds while it is open and the page is looked at. */
import { Refused, type StoredResult, storedResults } from "./api.ts";
import { find, make, percent } from "./dom.ts";

const EVERY_MS = 3000;
const ROWS = 20;

function row({ id, time, device, label, confidence, error }: StoredResult): HTMLTableRowElement {
  const cells = [
    new Date(time).toLocaleString(),
    device ?? "–",
    error ? `error: ${error}` : (label ?? "–"),
    typeof confidence === "number" && !error ? percent(confidence) : "–",
    id,
  ];
  return make("tr", {}, ...cells.map((text) => make("td", {}, text)));
}

export function setUpStored(): void {
  const details = find("#stored", HTMLDetailsElement);
  const body = find("#stored tbody", HTMLTableSectionElement);
  const state = find("#stored-state", HTMLElement);
  let timer: ReturnType<typeof setTimeout> | undefined;

  const read = async () => {
    clearTimeout(timer);
    if (!details.open) return;
    if (!document.hidden) {
      try {
        const results = await storedResults(ROWS);
        body.replaceChildren(...results.map(row));
        state.textContent = results.length === 0 ? "Nothing is stored yet." : `The newest ${results.length}.`;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        state.textContent = error.message;
      }
    }
    timer = setTimeout(read, EVERY_MS);
  };
  details.addEventListener("toggle", () => void read());
}
