/** The calls to copy: what the page does, with curl and from an eKuiper rule. */
import rule from "../../ekuiper/rules/label.json" with { type: "json" };
import { tokenOf } from "./api.ts";
import { find } from "./dom.ts";

/** @param query As of POST /label. */
export function showSnippets(query: URLSearchParams): void {
  // Colons and commas are legal in a query, and read better.
  const text = `${query}`.replaceAll("%3A", ":").replaceAll("%2C", ",");
  const address = `${location.origin}/label${text === "" ? "" : `?${text}`}`;
  const token = tokenOf() === null ? "" : ' -H "Authorization: Bearer $LABELER_TOKEN"';
  find("#curl", HTMLElement).textContent = `curl --data-binary @photo.jpg${token} '${address}'`;
  find("#install", HTMLElement).textContent =
    `npm run ekuiper -- install --gateway http://GATEWAY:9081 --labeler ${location.origin}`; // its token: LABELER_TOKEN
  find("#rule", HTMLElement).textContent = JSON.stringify(rule, undefined, 2);
}

export function setUpCopying(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
    button.addEventListener("click", async () => {
      const source = find(`#${button.dataset.copy}`, HTMLElement);
      try {
        await navigator.clipboard.writeText(source.textContent ?? "");
        button.textContent = "Copied";
      } catch {
        // No clipboard without HTTPS: what is to be copied is marked at least.
        getSelection()?.selectAllChildren(source);
        button.textContent = "Selected";
      }
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
  }
}
