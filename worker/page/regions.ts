/** The panel of regions: a picture to draw them on, a list to name them, and what to copy for them. */
import { find, make } from "./dom.ts";
import { Board, describe, moved, type Rectangle, type Region } from "./region-boxes.ts";

/** As the labeler takes names. */
const NAME = /^[\w.-]{1,64}$/;
/** Names that an SQL function has fields for. */
const PLAIN = /^[A-Za-z]\w*$/;

/** Where a region begins that is added without a pointer. */
const MIDDLE: Rectangle = [0.25, 0.25, 0.75, 0.75];

const ASIDE = 0.04;

const panel = find("#regions", HTMLDetailsElement);
const picture = find("#board img", HTMLImageElement);
const boardElement = find("#board", HTMLElement);
const list = find("#region-list", HTMLUListElement);
const calls = find("#region-calls", HTMLElement);

const regions: Region[] = [];

/** The parameters of POST /label for the regions that were drawn. */
export const regionParameters = (): string[] => regions.map(({ name, place }) => `${name}:${describe(place)}`);

/** A name that no region has yet. */
function freeName(): string {
  for (let number = regions.length + 1; ; number++) {
    const name = `region${number}`;
    if (regions.every((region) => region.name !== name)) return name;
  }
}

/** What stands in model.json for them. @param base The model that labels. */
export function modelJson(base: string): string {
  const places = regions.map(({ name, place }) => `    ${JSON.stringify(name)}: [${place.join(", ")}]`);
  return `{\n  "base": ${JSON.stringify(base)},\n  "regions": {\n${places.join(",\n")}\n  }\n}`;
}

/**
 * The rule that reads them, of a function that was installed with the model. Names are quoted, since some are words of SQL.
 *
 * @returns What to change, where a name cannot be a field.
 */
export function regionSql(): string {
  const wrong = regions.find(({ name }) => !PLAIN.test(name));
  if (wrong !== undefined) return `Rename ${wrong.name}: in SQL a name has a letter first, then letters, digits and _.`;
  const field = ({ name }: Region) => `answer->regions->\`${name}\`->label as ${name}_label`;
  return `SELECT watch(self) as answer INVISIBLE, ${regions.map(field).join(", ")} FROM tfdemo`;
}

/** @param changed Called a little after regions have changed. @param base Gives the model that labels. */
export function setUpRegions(changed: () => void, base: () => string): { show(image: Blob): void } {
  let pending: ReturnType<typeof setTimeout> | undefined;
  let url: string | undefined;

  const update = () => {
    board.show(regions);
    calls.hidden = regions.length === 0;
    find("#model-json", HTMLElement).textContent = modelJson(base());
    find("#region-sql", HTMLElement).textContent = regionSql();
    clearTimeout(pending);
    pending = setTimeout(changed, 300);
  };

  const remove = (region: Region) => {
    regions.splice(regions.indexOf(region), 1);
    rows.get(region)?.remove();
    rows.delete(region);
    update();
    find("#region-add", HTMLButtonElement).focus();
  };

  const rows = new Map<Region, HTMLLIElement>();
  const row = (region: Region): HTMLLIElement => {
    const name = make("input", { value: region.name, required: true, maxLength: 64, ariaLabel: "Name of the region" });
    name.addEventListener("input", () => {
      const taken = regions.some((other) => other !== region && other.name === name.value);
      const fault = taken ? "Another region has this name." : "Letters, digits, dots, dashes and underscores.";
      name.setCustomValidity(!taken && NAME.test(name.value) ? "" : fault);
      if (!name.reportValidity()) return;
      region.name = name.value;
      take.ariaLabel = `Remove ${region.name}`;
      update();
    });
    const take = make("button", { type: "button", ariaLabel: `Remove ${region.name}` }, "Remove");
    take.addEventListener("click", () => remove(region));
    return make("li", { className: "row" }, name, make("code"), take);
  };

  const showPlaces = () => {
    for (const [region, element] of rows) {
      const place = element.querySelector("code");
      if (place !== null) place.textContent = describe(region.place);
    }
  };

  const add = (place: Rectangle) => {
    const region = { name: freeName(), place };
    regions.push(region);
    const element = row(region);
    rows.set(region, element);
    list.append(element);
    showPlaces();
    update();
    board.focus(region);
  };

  const board = new Board(boardElement, {
    drawn: add,
    changed(region, place) {
      region.place = place;
      showPlaces();
      update();
    },
    removed: remove,
  });
  find("#region-add", HTMLButtonElement).addEventListener("click", () => {
    const aside = (regions.length % 6) * ASIDE; // or it would hide the one before
    add(moved(MIDDLE, aside, aside));
  });
  panel.addEventListener("toggle", update);
  picture.addEventListener("load", () => {
    boardElement.hidden = false;
  });
  return {
    show(image) {
      if (url !== undefined) URL.revokeObjectURL(url);
      url = URL.createObjectURL(image);
      picture.src = url;
    },
  };
}
