/** One image of the page: its picture, its labels as bars, how long each step took, and where the network saw the label. */
import { type Answer, explain, type Label, label, type Part, Refused } from "./api.ts";
import { convertToJpeg } from "./convert.ts";
import { labelElement, make, percent } from "./dom.ts";
import { legendOf } from "./legend.ts";

const kilobytes = (bytes: number) => (bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
const milliseconds = (ms: number) => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;

function bar({ label: text, confidence }: Label): HTMLLIElement {
  const fill = make("i", { ariaHidden: "true" });
  fill.style.width = `${confidence * 100}%`;
  const value = make("span", { className: "value" }, percent(confidence));
  return make("li", {}, fill, labelElement(text), " ", value);
}

/** The top-1 label of a part, for those who do not see the bars. */
function newsOf({ name, labels: [best] }: Part): string {
  const label = best === undefined ? "no label" : `${best.label}, ${percent(best.confidence)}`;
  return name === undefined ? label : `${name} ${label}`;
}

function timing({ cached, steps, ms }: Answer): string {
  const parts = steps.map((step) => `${step.name} ${milliseconds(step.ms)}`);
  return [...(cached ? ["from the cache"] : []), ...parts, `round trip ${milliseconds(ms)}`].join(" · ");
}

/** The labeler does not read this kind of file. */
const UNSUPPORTED = 415;

export class Card {
  readonly element = make("li", { className: "card" });
  readonly #image: Blob;
  /** What the browser made of an image that the labeler does not read. */
  #converted: Blob | undefined;
  readonly #name: string;
  readonly #picture: HTMLImageElement;
  readonly #figure: HTMLElement;
  readonly #answer = make("div");
  readonly #why = make("button", { type: "button", hidden: true }, "Explain the label");
  readonly #urls: string[] = [];
  /** The number of the last request, so that the answer to an older one is ignored. */
  #turn = 0;
  #query = new URLSearchParams();
  #best = "";

  /** @param removed Called after the card took itself away. */
  constructor(image: Blob, name: string, removed: () => void) {
    this.#image = image;
    this.#name = name;
    this.#picture = make("img", { src: this.#url(image), alt: name });
    // HEIC, for one, is shown by few browsers; the labeler says what to do about it.
    this.#picture.addEventListener("error", () => this.#figure.replaceChildren("No preview"));
    this.#figure = make("figure", {}, this.#picture);
    const remove = make("button", { type: "button", ariaLabel: `Remove ${name}` }, "Remove");
    remove.addEventListener("click", () => {
      this.#turn++;
      this.element.remove();
      for (const url of this.#urls) URL.revokeObjectURL(url);
      removed();
    });
    this.#why.addEventListener("click", () => void this.#explain());
    const title = make("h3", {}, name, " ", make("small", { className: "hint" }, kilobytes(image.size)));
    const actions = make("p", { className: "row" }, this.#why, remove);
    this.element.append(this.#figure, make("div", {}, title, this.#answer, actions));
    this.#say("Waiting…");
  }

  #url(blob: Blob): string {
    const url = URL.createObjectURL(blob);
    this.#urls.push(url);
    return url;
  }

  #say(text: string, className = "hint"): void {
    this.#answer.replaceChildren(make("p", { className }, text));
  }

  /** @param legend Of what is drawn over the picture. */
  #showPicture(url: string, alt: string, ...legend: HTMLElement[]): void {
    this.#picture.src = url;
    this.#picture.alt = alt;
    this.#figure.replaceChildren(this.#picture, ...legend);
  }

  /** @throws Refused if neither the image nor what the browser makes of it can be labelled. */
  async #ask(query: URLSearchParams): Promise<Answer> {
    try {
      return await label(this.#converted ?? this.#image, query);
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== UNSUPPORTED || this.#converted !== undefined) throw error;
      const converted = await convertToJpeg(this.#image);
      if (converted === undefined) throw error;
      const answer = await label(converted, query);
      this.#converted = converted;
      return answer;
    }
  }

  /**
   * Has the image labelled.
   *
   * @returns What is news of it, for those who do not see it; nothing if it was asked for anew meanwhile.
   * @throws Refused after the card shows why.
   */
  async label(query: URLSearchParams): Promise<string> {
    const turn = ++this.#turn;
    this.#query = query;
    this.#why.hidden = true;
    const original = this.#urls[0];
    if (original !== undefined && this.#urls.length > 1) this.#showPicture(original, this.#name);
    this.#say("Labelling…");
    this.element.ariaBusy = "true";
    try {
      const answer = await this.#ask(query);
      if (turn !== this.#turn) return "";
      const notes = [
        ...(answer.missing > 0 ? [make("p", {}, `${percent(answer.missing)} of the image is missing.`)] : []),
        ...(answer.warnings > 0 ? [make("p", {}, "The file is damaged: the label may be wrong.")] : []),
        ...(this.#converted === undefined
          ? []
          : [make("p", {}, "Your browser converted the image to JPEG, since the labeler does not read its format.")]),
      ];
      const parts = answer.parts.flatMap(({ name, labels }) => [
        ...(name === undefined ? [] : [make("h4", {}, name)]),
        make("ol", {}, ...labels.map(bar)),
      ]);
      this.#answer.replaceChildren(...parts, ...notes, make("p", { className: "hint timing" }, timing(answer)));
      this.#best = answer.parts[0]?.labels[0]?.label ?? "";
      // A picture that explains has room for one region.
      this.#why.hidden = answer.parts.length !== 1 || answer.parts[0]?.labels.length === 0;
      return `${this.#name}: ${answer.parts.map(newsOf).join("; ")}`;
    } catch (error) {
      if (turn !== this.#turn) return "";
      if (!(error instanceof Refused)) throw error;
      this.#say(error.message, "error");
      if (error.status === 401) throw error;
      return `${this.#name}: ${error.message}`;
    } finally {
      if (turn === this.#turn) this.element.ariaBusy = "false";
    }
  }

  async #explain(): Promise<void> {
    const turn = this.#turn;
    this.#why.disabled = true;
    try {
      const picture = await explain(this.#converted ?? this.#image, this.#query);
      if (turn === this.#turn)
        this.#showPicture(
          this.#url(picture),
          `${this.#name}, with the regions that count for the label in warm colours`,
          legendOf(this.#best),
        );
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (turn === this.#turn) this.#answer.append(make("p", { className: "error" }, error.message));
    } finally {
      this.#why.disabled = false;
      this.#why.hidden = true;
    }
  }
}
