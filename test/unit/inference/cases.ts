/** A network of a few operators and what native TensorFlow Lite makes of it: test/fixtures/ops/cases.json. */

export interface CaseTensor {
  shape: number[];
  dtype: "float32" | "uint8" | "int8";
  scale?: number;
  zeroPoint?: number;
  data: number[];
}
export interface Case {
  name: string;
  op: string;
  file: string;
  inputs: CaseTensor[];
  outputs: CaseTensor[];
  spread?: Record<string, number>;
}
