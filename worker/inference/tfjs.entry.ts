/**
 * What the Worker takes of TensorFlow.js: the entry of the prebundle that scripts/lib/tfjs-bundle.ts writes to
 * tfjs.bundle.js. Only the ops and kernels that the executor calls are named, so that the rest stays out of the Worker
 * (188 KB instead of 566 KB).
 */

import { addConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Add.js";
import { avgPoolConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/AvgPool.js";
import { castConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Cast.js";
import { clipByValueConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/ClipByValue.js";
import { concatConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Concat.js";
import { fusedConv2DConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/FusedConv2D.js";
import { fusedDepthwiseConv2DConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/FusedDepthwiseConv2D.js";
import { identityConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Identity.js";
import { maxPoolConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/MaxPool.js";
import { meanConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Mean.js";
import { multiplyConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Multiply.js";
import { padV2Config } from "@tensorflow/tfjs-backend-wasm/dist/kernels/PadV2.js";
import { reluConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Relu.js";
import { relu6Config } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Relu6.js";
import { reshapeConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Reshape.js";
import { sigmoidConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Sigmoid.js";
import { softmaxConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Softmax.js";
import { subConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Sub.js";
import { transposeConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Transpose.js";

export { BackendWasm } from "@tensorflow/tfjs-backend-wasm/dist/backend_wasm.js";
export { default as createWasm } from "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.js";
export {
  add,
  avgPool,
  clipByValue,
  concat,
  engine,
  fused,
  keep,
  maxPool,
  mean,
  memory,
  mul,
  pad,
  registerBackend,
  registerKernel,
  relu,
  relu6,
  reshape,
  setBackend,
  sigmoid,
  softmax,
  sub,
  tensor,
  tidy,
} from "@tensorflow/tfjs-core";

export const kernels = [
  addConfig,
  avgPoolConfig,
  castConfig,
  clipByValueConfig,
  concatConfig,
  fusedConv2DConfig,
  fusedDepthwiseConv2DConfig,
  identityConfig,
  maxPoolConfig,
  meanConfig,
  multiplyConfig,
  padV2Config,
  reluConfig,
  relu6Config,
  reshapeConfig,
  sigmoidConfig,
  softmaxConfig,
  subConfig,
  transposeConfig,
];
