/** The try-it page: takes images in, has them labelled a few at a time, shows what came of it. Runs in the browser. */
import { type Model, models, Refused, setToken } from "./api.ts";
import { setUpCamera } from "./camera.ts";
import { Card } from "./card.ts";
import { find, make } from "./dom.ts";
import { regionParameters, setUpRegions } from "./regions.ts";
import { setUpCopying, showSnippets } from "./snippets.ts";
import { setUpStored } from "./stored.ts";

/** Two requests: one is on its way while the other is labelled. */
const AT_ONCE = 2;

const state = find("#state", HTMLElement);
const trouble = find("#trouble", HTMLElement);
const news = find("#news", HTMLElement);
const none = find("#none", HTMLElement);
const results = find("#results", HTMLElement);
const access = find("#access", HTMLFormElement);
const options = find("#options", HTMLFormElement);
const model = find("#model", HTMLSelectElement);
const precision = find("#precision", HTMLSelectElement);
const drop = find("#drop", HTMLElement);

const cards = new Set<Card>();
const waiting = new Set<Card>();
let running = 0;
let installed: readonly Model[] = [];

const complain = (why: string) => {
  trouble.textContent = why;
  trouble.hidden = why === "";
};

/** The parameters of POST /label; what is left as it is by default is left out. */
function query(): URLSearchParams {
  const chosen = new URLSearchParams();
  for (const [name, value] of new FormData(options)) if (value !== "") chosen.set(name, String(value));
  if (chosen.get("top") === "5") chosen.delete("top");
  for (const region of regionParameters()) chosen.append("region", region);
  if (chosen.has("region")) chosen.delete("crop"); // a region is a rectangle itself
  if (installed.some(({ name, default: first }) => first && name === chosen.get("model"))) chosen.delete("model");
  return chosen;
}

const askForToken = () => {
  access.hidden = false;
  find("#token", HTMLInputElement).focus();
};

async function work(): Promise<void> {
  if (running >= AT_ONCE) return;
  running++;
  for (const card of waiting) {
    waiting.delete(card);
    if (!cards.has(card)) continue;
    try {
      const said = await card.label(query());
      if (said !== "") news.textContent = said;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      askForToken();
    }
  }
  running--;
}

function start(): void {
  for (let worker = 0; worker < AT_ONCE; worker++) void work();
}

function add(images: Iterable<File>): void {
  complain("");
  for (const image of images) {
    const card = new Card(image, image.name || "pasted image", () => {
      cards.delete(card);
      none.hidden = cards.size > 0;
      results.focus();
    });
    cards.add(card);
    waiting.add(card);
    results.prepend(card.element);
    regions.show(image);
  }
  none.hidden = cards.size > 0;
  start();
}

function labelAgain(): void {
  if (!options.reportValidity()) return;
  showSnippets(query());
  for (const card of cards) waiting.add(card);
  start();
}

const chosenModel = (): Model | undefined => installed.find(({ name }) => name === model.value);

function showPrecisions(): void {
  const { precisions = [] } = chosenModel() ?? {};
  const choices = precisions.map((name) => make("option", { value: name }, name));
  precision.replaceChildren(make("option", { value: "" }, "default of the model"), ...choices);
}

async function showModels(): Promise<void> {
  try {
    installed = (await models()).filter(({ error }) => error === undefined);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    state.textContent = error.message;
    if (error.status === 401) askForToken();
    return;
  }
  access.hidden = true;
  state.textContent = installed.length === 1 ? "1 model" : `${installed.length} models`;
  model.replaceChildren(
    ...installed.map(({ name, default: chosen, input }) =>
      make("option", { value: name, selected: chosen }, input ? `${name} (${input.width}×${input.height})` : name),
    ),
  );
  showPrecisions();
  labelAgain();
}

const imagesOf = (data: DataTransfer | null): File[] => [...(data?.files ?? [])];

find("#files", HTMLInputElement).addEventListener("change", ({ target }) => {
  if (!(target instanceof HTMLInputElement)) return;
  add([...(target.files ?? [])]);
  target.value = ""; // so that the same file can be chosen again
});
document.addEventListener("paste", ({ clipboardData }) => add(imagesOf(clipboardData)));
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
document.addEventListener("dragleave", () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  add(imagesOf(event.dataTransfer));
});
options.addEventListener("change", ({ target }) => {
  if (target === model) showPrecisions();
  labelAgain();
});
options.addEventListener("submit", (event) => event.preventDefault());
access.addEventListener("submit", (event) => {
  event.preventDefault();
  setToken(find("#token", HTMLInputElement).value);
  void showModels();
});

const regions = setUpRegions(labelAgain, () => chosenModel()?.base ?? model.value);
setUpCamera((picture) => add([picture]), complain);
setUpCopying();
setUpStored();
showSnippets(query());
void showModels();
