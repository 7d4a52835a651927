/** Reads the configuration of a layer; a value that is not of the expected kind is refused with the layer's name. */
import { ConversionError } from "./errors.ts";

export type Json = Readonly<Record<string, unknown>>;

export const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** @throws ConversionError if it is something else. */
export function jsonOf(value: unknown, what: string): Json {
  if (isJson(value)) return value;
  throw new ConversionError(`The configuration of the model is damaged: ${what} is missing.`);
}

/** @throws ConversionError if it is something else. */
export function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new ConversionError(`The configuration of the model is damaged: ${what} is missing.`);
}

/** Larger sizes, paddings and numbers of filters are no classifier's. */
const LARGEST = 1 << 20;

export class Config {
  readonly #json: Json;
  readonly #layer: string;

  constructor(json: Json, layer: string) {
    this.#json = json;
    this.#layer = layer;
  }

  #refuse(field: string, expected: string): never {
    const found = this.has(field) ? `${field} ${JSON.stringify(this.#json[field]).slice(0, 60)}` : `no ${field}`;
    throw new ConversionError(`The layer "${this.#layer}" has ${found}, where ${expected} is expected.`);
  }

  /** Whether the field has a value. */
  has(field: string): boolean {
    return this.#json[field] !== undefined && this.#json[field] !== null;
  }

  raw(field: string): unknown {
    return this.#json[field];
  }

  boolean(field: string, absent: boolean): boolean {
    if (!this.has(field)) return absent;
    const value = this.#json[field];
    return typeof value === "boolean" ? value : this.#refuse(field, "true or false");
  }

  string(field: string, absent: string): string {
    if (!this.has(field)) return absent;
    const value = this.#json[field];
    return typeof value === "string" ? value : this.#refuse(field, "a text");
  }

  number(field: string, absent?: number): number {
    if (!this.has(field) && absent !== undefined) return absent;
    const value = this.#json[field];
    return typeof value === "number" && Number.isFinite(value) ? value : this.#refuse(field, "a number");
  }

  /** A number or a list of numbers, however deep, as a flat list. */
  numbers(field: string, absent?: number): readonly number[] {
    if (!this.has(field) && absent !== undefined) return [absent];
    const values = [this.#json[field]].flat(8) as unknown[];
    const fits = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
    return values.every(fits) && values.length > 0 ? values : this.#refuse(field, "a number or a list of numbers");
  }

  #isSize(value: unknown, least: number): value is number {
    return Number.isInteger(value) && (value as number) >= least && (value as number) <= LARGEST;
  }

  /** A whole number from `least`. */
  size(field: string, absent?: number, least = 1): number {
    if (!this.has(field) && absent !== undefined) return absent;
    const value = this.#json[field];
    return this.#isSize(value, least) ? value : this.#refuse(field, "a whole number");
  }

  /** [vertical, horizontal]; a single number is meant for both. */
  pair(field: string, absent?: readonly [number, number]): readonly [number, number] {
    if (!this.has(field) && absent !== undefined) return absent;
    const value = this.#json[field];
    const [a, b, ...more] = Array.isArray(value) ? value : [value, value];
    if (!this.#isSize(a, 1) || !this.#isSize(b, 1) || more.length > 0) {
      return this.#refuse(field, "a whole number or two");
    }
    return [a, b];
  }

  /** [[top, bottom], [left, right]] from one number, two, or two pairs. */
  margins(field: string): readonly (readonly [number, number])[] {
    const value = this.#json[field];
    const sides = Array.isArray(value) ? value : [value, value];
    const pairs = sides.map((side): unknown[] => (Array.isArray(side) ? side : [side, side]));
    const fits = pairs.every((pair) => pair.length === 2 && pair.every((margin) => this.#isSize(margin, 0)));
    return fits && pairs.length === 2
      ? (pairs as unknown as readonly (readonly [number, number])[])
      : this.#refuse(field, "one number, two, or two pairs");
  }
}
