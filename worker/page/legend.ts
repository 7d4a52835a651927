/** The legend of a heat map: its colours as they lie over a picture, from no heat to most. */
import { COLOURS, COVER } from "../labeling/explain/heat-colours.ts";
import { make } from "./dom.ts";

/** @param label That the heat map explains. */
export function legendOf(label: string): HTMLElement {
  const stops = COLOURS.map((rgb, i) => `rgb(${rgb.join(" ")} / ${(COVER * i) / (COLOURS.length - 1)})`);
  const scale = make("span", { className: "scale", ariaHidden: "true" });
  scale.style.backgroundImage = `linear-gradient(to right, ${stops.join(", ")})`;
  return make(
    "figcaption",
    { className: "legend hint" },
    make("span", {}, `How much each region counts for ${label}`),
    scale,
    make("span", { className: "ends", ariaHidden: "true" }, make("span", {}, "none"), make("span", {}, "most")),
  );
}
