/** Short ways to find and make elements. */

/** @throws Error if the page has no such element, or another kind of it. */
export function find<T extends Element>(selector: string, kind: abstract new () => T): T {
  const element = document.querySelector(selector);
  if (!(element instanceof kind)) throw new Error(`The page has no ${selector}`);
  return element;
}

/** Makes an element with these properties and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;

/**
 * A label whose number stands apart from its name ("85:" and "peacock"), and which is still the whole label when it is
 * copied into a rule.
 */
export function labelElement(label: string): HTMLSpanElement {
  const [, number = "", name = label] = /^(\d+\s*:)(.*\S.*)$/s.exec(label) ?? [];
  return make(
    "span",
    { className: "label" },
    ...(number === "" ? [] : [make("span", { className: "number" }, number)]),
    make("span", { className: "name" }, name),
  );
}
