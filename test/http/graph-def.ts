/** Graph models of TensorFlow.js that are put together from nodes. */
export type Attributes = Readonly<Record<string, unknown>>;

export const text = (value: string) => ({ s: Buffer.from(value).toString("base64") });
export const integers = (...values: readonly number[]) => ({ list: { i: values.map(String) } });
const sizes = (...values: readonly number[]) => ({ dim: values.map((size) => ({ size: `${size}` })) });

export interface Given {
  readonly shape?: readonly number[];
  readonly type?: string;
  /** Operations by the names of their nodes, each with its inputs and attributes. */
  readonly nodes: Readonly<Record<string, readonly [op: string, inputs: readonly string[], attributes?: Attributes]>>;
  readonly weights?: Readonly<Record<string, readonly [values: readonly number[], shape: readonly number[]]>>;
  readonly outputs?: Readonly<Record<string, string>>;
  /** Beside model.json. */
  readonly files?: Readonly<Record<string, string>>;
}

/** @returns model.json and its shard: nodes and weights in float32, with a picture named "image" as the input. */
export function graphModel({ shape = [-1, 8, 8, 3], type = "DT_FLOAT", nodes, weights = {}, outputs }: Given) {
  const placeholder = {
    name: "image",
    op: "Placeholder",
    attr: { shape: { shape: sizes(...shape) }, dtype: { type } },
  };
  const named = Object.entries(outputs ?? {}).map(([name, edge]) => [name, { name: edge, dtype: "DT_FLOAT" }]);
  const signature = {
    inputs: { image: { name: "image:0", dtype: type, tensorShape: sizes(...shape) } },
    outputs: Object.fromEntries(named),
  };
  const json = {
    format: "graph-model",
    ...(outputs === undefined ? {} : { signature }),
    modelTopology: {
      versions: { producer: 2474 },
      node: [
        placeholder,
        ...Object.keys(weights).map((name) => ({ name, op: "Const" })),
        ...Object.entries(nodes).map(([name, [op, input, attr = {}]]) => ({ name, op, input, attr })),
      ],
    },
    weightsManifest: [
      {
        paths: ["group1-shard1of1.bin"],
        weights: Object.entries(weights).map(([name, [, dims]]) => ({ name, shape: dims, dtype: "float32" })),
      },
    ],
  };
  const data = Float32Array.from(Object.values(weights).flatMap(([values]) => values));
  return { json, shard: new Uint8Array(data.buffer) };
}
