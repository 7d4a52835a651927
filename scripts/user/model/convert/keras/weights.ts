/** Finds the weights of layers under the names that files have for them. */
import type { Weight } from "../layers/layer.ts";
import type { LayerPath, WeightStore } from "./convert.ts";

/** Weights by path. */
export type Weights = ReadonlyMap<string, Weight>;

/** Of a .keras file: "layers/functional/layers/conv2d/vars/0". */
export class NumberedWeights implements WeightStore {
  readonly #weights: Weights;

  constructor(weights: Weights) {
    // The first versions of the format name the folder otherwise, and may write backslashes.
    this.#weights = new Map(
      [...weights].map(([path, weight]) => [
        path.replaceAll("\\", "/").replaceAll("_layer_checkpoint_dependencies/", "layers/"),
        weight,
      ]),
    );
  }

  find({ folder }: LayerPath, _: readonly string[], position: number): Weight | undefined {
    return this.#weights.get(`${folder}vars/${position}`);
  }
}

interface Entry {
  readonly segments: readonly string[];
  /** "kernel" for "conv2d/kernel:0". */
  readonly last: string;
  readonly weight: Weight;
}

/** Of .h5 files and TensorFlow.js: "conv2d/kernel:0", perhaps behind the names of models that it is in. */
export class NamedWeights implements WeightStore {
  readonly #entries: readonly Entry[];
  readonly #groups: ReadonlyMap<string, readonly string[]>;
  readonly #weights: Weights;
  /** By the name of a layer in their paths. */
  readonly #byName = new Map<string, Entry[]>();

  /**
   * @param groups The weights of each layer of the outermost model in the layer's order, by its name, where the file has
   *   them. All their names begin with the layer's.
   */
  constructor(weights: Weights, groups: ReadonlyMap<string, readonly string[]> = new Map()) {
    this.#weights = weights;
    this.#groups = groups;
    this.#entries = [...weights].map(([path, weight]) => {
      const segments = path.replace(/:\d+$/, "").split("/");
      return { segments, last: segments.at(-1) ?? "", weight };
    });
    for (const entry of this.#entries) {
      const folders = entry.segments.slice(0, -1);
      // Names of layers may have slashes themselves.
      const ends = folders.map((_, i) => folders.slice(i).join("/"));
      for (const segment of new Set([...folders, ...ends])) {
        const entries = this.#byName.get(segment);
        if (entries === undefined) this.#byName.set(segment, [entry]);
        else entries.push(entry);
      }
    }
  }

  find({ names: path }: LayerPath, names: readonly string[], position: number): Weight | undefined {
    const own = path.at(-1) ?? "";
    const ordered = path.length === 1 ? this.#groups.get(own) : undefined;
    let found = (this.#byName.get(own) ?? []).filter(({ last }) => names.includes(last));
    // Of several layers of one name, the one in the same models.
    for (const outer of path.slice(0, -1).toReversed()) {
      if (found.length < 2) break;
      const inside = found.filter(({ segments }) => segments.includes(outer));
      if (inside.length > 0) found = inside;
    }
    if (found.length === 1) return found[0]?.weight;
    // Weights may have kept the names of the time before their layer was renamed.
    return this.#weights.get(ordered?.[position] ?? "");
  }
}
