/** The folders in which .keras files keep the weights of layers: by class, and a counter where a class comes again. */
import type { LayerSpec } from "./model.ts";

/** As to_snake_case() of Keras: SeparableConv2D becomes separable_conv2d. */
const snakeCase = (name: string): string =>
  name
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();

/** @returns The folder of each layer by the layer's name. Operations have none. */
export function containerNames(layers: readonly LayerSpec[]): ReadonlyMap<string, string> {
  const used = new Map<string, number>();
  return new Map(
    layers
      .filter(({ module }) => !/\bops\b/.test(module))
      .map(({ name, className }) => {
        const base = snakeCase(className.replace(/^.*>/, ""));
        const count = used.get(base) ?? 0;
        used.set(base, count + 1);
        return [name, count === 0 ? base : `${base}_${count}`];
      }),
  );
}
