/** What is measured: the labeler at each precision, and what else runs such networks. */
import type { Network } from "./models.ts";

export interface Engine {
  readonly name: string;
  /** How it is chosen with --engines, and named in goals. */
  readonly key: string;
  readonly ours: boolean;
  /** A file of workers/; none for what does not run in workerd. */
  readonly worker?: string;
  /** What the Worker is to be told besides the model. */
  readonly query?: Readonly<Record<string, string>>;
  /** Only measured when asked for. */
  readonly optional?: boolean;
  takes(network: Network): boolean;
}

const any = () => true;
const floatOnly = ({ quantised }: Network) => !quantised;

export const ENGINES: readonly Engine[] = [
  { name: "ours, exact", key: "exact", ours: true, worker: "ours", query: { precision: "exact" }, takes: floatOnly },
  { name: "ours, fast", key: "fast", ours: true, worker: "ours", query: { precision: "fast" }, takes: floatOnly },
  {
    name: "ours, quantised",
    key: "quantised",
    ours: true,
    worker: "ours",
    query: { precision: "quantised" },
    takes: ({ quantised }) => quantised,
  },
  {
    name: "ours, op by op on tfjs' kernels",
    key: "executor",
    ours: true,
    optional: true,
    worker: "ours",
    query: { precision: "executor" },
    takes: floatOnly,
  },
  { name: "stock tfjs-wasm 4.22", key: "tfjs", ours: false, worker: "stock", takes: any },
  {
    name: "LiteRT.js 2.5.3",
    key: "litert",
    ours: false,
    worker: "litert",
    query: { file: "float32.tflite" }, // the file itself where its weights are not float16
    takes: any,
  },
  {
    name: "LiteRT.js 2.5.3, float16 weights as in the file",
    key: "litert16",
    ours: false,
    optional: true,
    worker: "litert",
    takes: floatOnly,
  },
  { name: "onnxruntime-web 1.30", key: "ort", ours: false, worker: "ort", takes: any },
  { name: "native ai-edge-litert (Python)", key: "native", ours: false, takes: any },
];
