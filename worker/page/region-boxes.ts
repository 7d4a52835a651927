/** The rectangles of regions on a picture: drawn, moved and resized with a pointer or with arrow keys. */
import { make } from "./dom.ts";

/** Fractions of the picture as it is seen: left, top, right and bottom edge. */
export type Rectangle = readonly [x0: number, y0: number, x1: number, y1: number];

export interface Region {
  name: string;
  place: Rectangle;
}

/** What an arrow key moves by; and the least side of a rectangle that is drawn. */
const STEP = 0.01;
const LEAST = 0.02;

const KEYS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

/** Rounds to three digits, which is one pixel in a picture of 1000. */
const rounded = (value: number): number => Math.round(value * 1000) / 1000;

export const describe = ([x0, y0, x1, y1]: Rectangle): string => [x0, y0, x1, y1].map(rounded).join(",");

/** Moves a rectangle, as far as the picture reaches. */
export function moved([x0, y0, x1, y1]: Rectangle, x: number, y: number): Rectangle {
  const [right, down] = [clamp(x, -x0, 1 - x1), clamp(y, -y0, 1 - y1)];
  return [rounded(x0 + right), rounded(y0 + down), rounded(x1 + right), rounded(y1 + down)];
}

/** Moves the right and the bottom edge of a rectangle. */
export const resized = ([x0, y0, x1, y1]: Rectangle, x: number, y: number): Rectangle => [
  x0,
  y0,
  rounded(clamp(x1 + x, x0 + LEAST, 1)),
  rounded(clamp(y1 + y, y0 + LEAST, 1)),
];

/** The rectangle between two corners; undefined if it is too small to be meant. */
function between([ax, ay]: readonly number[], [bx, by]: readonly number[]): Rectangle | undefined {
  const place: Rectangle = [
    rounded(Math.min(ax, bx)),
    rounded(Math.min(ay, by)),
    rounded(Math.max(ax, bx)),
    rounded(Math.max(ay, by)),
  ];
  return place[2] - place[0] < LEAST || place[3] - place[1] < LEAST ? undefined : place;
}

export interface BoardEvents {
  /** A rectangle was drawn. */
  readonly drawn: (place: Rectangle) => void;
  readonly changed: (region: Region, place: Rectangle) => void;
  readonly removed: (region: Region) => void;
}

/** A picture with rectangles on it. */
export class Board {
  readonly #element: HTMLElement;
  readonly #events: BoardEvents;
  #boxes = new Map<Region, HTMLButtonElement>();

  constructor(element: HTMLElement, events: BoardEvents) {
    this.#element = element;
    this.#events = events;
    element.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && !(event.target instanceof HTMLButtonElement)) this.#draw(event);
    });
  }

  /** Where a pointer is, in fractions of the picture. */
  #point({ clientX, clientY }: PointerEvent): [x: number, y: number] {
    const { left, top, width, height } = this.#element.getBoundingClientRect();
    return [clamp((clientX - left) / width, 0, 1), clamp((clientY - top) / height, 0, 1)];
  }

  /** Follows a pointer until it is let go. */
  #follow(event: PointerEvent, on: HTMLElement, move: (point: readonly number[]) => void, end = () => {}): void {
    event.preventDefault();
    on.setPointerCapture(event.pointerId);
    const follow = (next: PointerEvent) => move(this.#point(next));
    const stop = () => {
      on.removeEventListener("pointermove", follow);
      end();
    };
    on.addEventListener("pointermove", follow);
    on.addEventListener("lostpointercapture", stop, { once: true });
  }

  #draw(event: PointerEvent): void {
    const start = this.#point(event);
    const box = make("div", { className: "box" });
    let place: Rectangle | undefined;
    this.#element.append(box);
    this.#follow(
      event,
      this.#element,
      (point) => {
        place = between(start, point);
        if (place !== undefined) this.#put(box, place);
      },
      () => {
        box.remove();
        if (place !== undefined) this.#events.drawn(place);
      },
    );
  }

  #put(box: HTMLElement, [x0, y0, x1, y1]: Rectangle): void {
    Object.assign(box.style, {
      left: `${x0 * 100}%`,
      top: `${y0 * 100}%`,
      width: `${(x1 - x0) * 100}%`,
      height: `${(y1 - y0) * 100}%`,
    });
  }

  #box(region: Region): HTMLButtonElement {
    const box = make("button", { type: "button", className: "box" });
    box.setAttribute("aria-describedby", "region-keys");
    box.addEventListener("keydown", (event) => {
      const [x, y] = KEYS[event.key] ?? [];
      if (event.key === "Delete") this.#events.removed(region);
      else if (x === undefined || y === undefined) return;
      else this.#events.changed(region, (event.shiftKey ? resized : moved)(region.place, x, y));
      event.preventDefault();
    });
    box.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      const [x, y] = this.#point(event);
      const { place } = region;
      // Its lower right corner resizes it.
      const corner = box.getBoundingClientRect();
      const change = corner.right - event.clientX < 16 && corner.bottom - event.clientY < 16 ? resized : moved;
      box.focus();
      this.#follow(event, box, ([nextX, nextY]) => {
        this.#events.changed(region, change(place, nextX - x, nextY - y));
      });
    });
    return box;
  }

  /** Shows these regions and no others. */
  show(regions: readonly Region[]): void {
    const boxes = new Map(regions.map((region) => [region, this.#boxes.get(region) ?? this.#box(region)]));
    for (const [region, box] of this.#boxes) if (!boxes.has(region)) box.remove();
    this.#boxes = boxes;
    for (const [region, box] of boxes) {
      this.#put(box, region.place);
      box.textContent = region.name;
      box.ariaLabel = `Region ${region.name}: ${describe(region.place)}`;
      if (!box.isConnected) this.#element.append(box);
    }
  }

  focus(region: Region): void {
    this.#boxes.get(region)?.focus();
  }
}
