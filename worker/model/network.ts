/** A loaded network: pixels in, a probability for each of its classes out. Several models may share one. */
import { LabelerError } from "../errors.ts";
import { initBackend } from "../inference/backend.ts";
import { type ClassActivation, classActivation } from "../inference/class-activation.ts";
import { NoFeatures, runTapped } from "../inference/features.ts";
import type { Input } from "../inference/input.ts";
import { PlanInstance } from "../inference/plan/plan.ts";
import { makeRunner, type Runner } from "../inference/runner.ts";
import { finish, type Parts } from "../runtime/parts.ts";
import type { Features } from "../teaching/features.ts";
import type { InspectedModel } from "./inspect.ts";
import { inputFrom } from "./layout.ts";
import type { Precision } from "./precision-name.ts";
import { levelsOf } from "./preprocess.ts";
import { ofOneScore, sigmoid, softmax } from "./probabilities.ts";

export class Network {
  readonly input: InspectedModel["input"];
  /** The names of its classes. */
  readonly labels: readonly string[];
  /** How many bytes it keeps resident. */
  readonly residentBytes: number;
  readonly runner: Runner;
  readonly #output: InspectedModel["output"];
  readonly #outputScale: number;
  readonly #levels: Float32Array;
  #disposed = false;
  #ran = false;

  private constructor(model: InspectedModel, runner: Runner) {
    this.input = model.input;
    this.labels = model.labels;
    this.residentBytes = runner.weightBytes;
    this.runner = runner;
    this.#output = model.output;
    this.#outputScale = model.outputScale;
    this.#levels = levelsOf(model.input);
  }

  /**
   * Loads the weights of a model.
   *
   * @param precision A precision that the model supports; see precisionFor().
   * @throws LabelerError of kind model-unusable if the network does not run.
   */
  static async load(model: InspectedModel, precision: Precision): Promise<Network> {
    await initBackend();
    const network = new Network(model, makeRunner(model.graph, precision).runner);
    // A plan was checked when it was compiled, and the first request should not have to wait for two runs.
    if (network.runner instanceof PlanInstance) return network;
    try {
      finish(network.warm());
    } catch (error) {
      network.dispose();
      // Operators whose shapes do not match fail only here: the fault is the file's, not a request's.
      const reason = (error as Error).message;
      throw new LabelerError("model-unusable", `The network does not run: ${reason}`, { cause: error });
    }
    return network;
  }

  /** Whether dispose() was called; the network cannot be used after that. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /** Runs the network once, if it has not run yet: the first run takes longer than later ones. */
  *warm(): Parts<void> {
    if (this.#ran) return;
    yield* this.probabilities(this.inputFrom(new Uint8Array(this.input.height * this.input.width * 3)));
  }

  /**
   * Converts pixels to the network's input.
   *
   * @param pixels [height, width, 3] of `input`, 0..255, red first.
   */
  inputFrom(pixels: Uint8Array): Input {
    const { height, width, layout, shape } = this.input;
    if (pixels.length !== height * width * 3)
      throw new RangeError(`pixels are ${pixels.length} bytes, not ${height * width * 3}`);
    return inputFrom(pixels, this.#levels, layout, shape);
  }

  /** The probability of every class, in the order of `labels`. */
  *probabilities(input: Input): Parts<Float32Array> {
    const [output] = yield* this.runner.runInParts([input]);
    this.#ran = true;
    return this.#probabilitiesIn(output);
  }

  /**
   * Like probabilities(), with a map of where one of the classes is seen.
   *
   * @param choose Chooses the class by the probabilities, which are valid until it returns.
   * @throws NoActivation for a network without such maps.
   */
  *activation(
    input: Input,
    choose: (probabilities: Float32Array, scores: number) => number,
  ): Parts<{ probabilities: Float32Array; map: ClassActivation }> {
    let probabilities: Float32Array = new Float32Array();
    const { activation: map } = yield* classActivation(this.runner, [input], ([output]) => {
      probabilities = this.#probabilitiesIn(output);
      return choose(probabilities, output.length);
    });
    return { probabilities, map };
  }

  /**
   * The probabilities, and the features from the same run.
   *
   * @throws LabelerError of kind no-features for a network that does not end in a pooling over all places.
   */
  *features(input: Input): Parts<Features> {
    try {
      const { outputs, tapped } = yield* runTapped(this.runner, [input]);
      this.#ran = true;
      return { ...tapped, probabilities: this.#probabilitiesIn(outputs[0]) };
    } catch (error) {
      if (!(error instanceof NoFeatures)) throw error;
      throw new LabelerError("no-features", error.message, { cause: error });
    }
  }

  #probabilitiesIn(output: Float32Array): Float32Array {
    const real = this.#outputScale === 1 ? output : output.map((value) => value * this.#outputScale);
    if (real.length === 1) return ofOneScore(real[0], this.#output !== "probabilities", this.labels.length);
    if (this.#output === "multi-label-logits") return real.map(sigmoid);
    return this.#output === "logits" ? softmax(real) : real;
  }

  /** Frees the weights. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.runner.dispose();
  }
}
