/**
 * The part of TensorFlow.js that the Worker uses: the entry of the prebundle that scripts/build/tfjs-bundle.ts writes
 * to tfjs.bundle.js. It names only the ops and kernels that the executor calls, so that the rest, which is as large
 * again, stays out of the Worker.
 */

import { addConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Add.js";
import { avgPoolConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/AvgPool.js";
import { castConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Cast.js";
import { clipByValueConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/ClipByValue.js";
import { concatConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Concat.js";
import { fusedConv2DConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/FusedConv2D.js";
import { fusedDepthwiseConv2DConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/FusedDepthwiseConv2D.js";
import { identityConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Identity.js";
import { maxConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Max.js";
import { maximumConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Maximum.js";
import { maxPoolConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/MaxPool.js";
import { meanConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Mean.js";
import { minimumConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Minimum.js";
import { mirrorPadConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/MirrorPad.js";
import { multiplyConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Multiply.js";
import { padV2Config } from "@tensorflow/tfjs-backend-wasm/dist/kernels/PadV2.js";
import { realDivConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/RealDiv.js";
import { reluConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Relu.js";
import { relu6Config } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Relu6.js";
import { reshapeConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Reshape.js";
import { sigmoidConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Sigmoid.js";
import { sliceConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Slice.js";
import { softmaxConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Softmax.js";
import { stridedSliceConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/StridedSlice.js";
import { subConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Sub.js";
import { sumConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Sum.js";
import { transposeConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Transpose.js";

export { BackendWasm } from "@tensorflow/tfjs-backend-wasm/dist/backend_wasm.js";
export { default as createWasm } from "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.js";
export {
  add,
  avgPool,
  clipByValue,
  concat,
  div,
  engine,
  fused,
  keep,
  max,
  maximum,
  maxPool,
  mean,
  memory,
  minimum,
  mirrorPad,
  mul,
  pad,
  registerBackend,
  registerKernel,
  relu,
  relu6,
  reshape,
  setBackend,
  sigmoid,
  slice,
  softmax,
  stridedSlice,
  sub,
  sum,
  tensor,
  tidy,
  transpose,
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
  maxConfig,
  maximumConfig,
  maxPoolConfig,
  meanConfig,
  minimumConfig,
  mirrorPadConfig,
  multiplyConfig,
  padV2Config,
  realDivConfig,
  relu6Config,
  reluConfig,
  reshapeConfig,
  sigmoidConfig,
  sliceConfig,
  softmaxConfig,
  stridedSliceConfig,
  subConfig,
  sumConfig,
  transposeConfig,
];
