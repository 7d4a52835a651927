/** A model that is loaded: pixels in, labels out. */
import { LabelerError } from "../errors.ts";
import { initBackend } from "../inference/backend.ts";
import { type ClassActivation, classActivation, NoActivation } from "../inference/class-activation.ts";
import type { Input } from "../inference/input.ts";
import { PlanInstance } from "../inference/plan/plan.ts";
import { makeRunner, type Runner } from "../inference/runner.ts";
import { finish, type Parts } from "../runtime/parts.ts";
import { type InspectedModel, inspectModel, type ModelFiles } from "./inspect.ts";
import { inputFrom } from "./layout.ts";
import type { Precision } from "./precision-name.ts";
import { levelsOf } from "./preprocess.ts";
import { type Label, ofOneScore, softmax, topIndices, topK } from "./top-k.ts";

export interface ClassifyOptions {
  /** How many labels at most. */
  readonly top: number;
  /** The least confidence of a label, 0..1. */
  readonly min: number;
}

export interface Explanation {
  readonly labels: Label[];
  /** How much each place of the input speaks for the label. */
  readonly map: ClassActivation;
}

export class Classifier {
  readonly input: InspectedModel["input"];
  readonly labels: readonly string[];
  readonly crop: InspectedModel["crop"];
  /** How many bytes the model keeps resident. */
  readonly residentBytes: number;
  readonly #output: InspectedModel["output"];
  readonly #outputScale: number;
  readonly #runner: Runner;
  readonly #levels: Float32Array;
  #disposed = false;
  #ran = false;

  private constructor(model: InspectedModel, runner: Runner) {
    this.input = model.input;
    this.labels = model.labels;
    this.crop = model.crop;
    this.residentBytes = runner.weightBytes;
    this.#output = model.output;
    this.#outputScale = model.outputScale;
    this.#runner = runner;
    this.#levels = levelsOf(model.input);
  }

  /**
   * Makes a classifier of the files of a model.
   *
   * @param precision One that the model can have; see precisionFor().
   * @throws LabelerError of kind model-unusable if they are no image classifier that can be run.
   */
  static async load(files: ModelFiles, precision: Precision = "exact"): Promise<Classifier> {
    const model = await inspectModel(files);
    await initBackend();
    const classifier = new Classifier(model, makeRunner(model.graph, precision).runner);
    // A plan was checked when it was compiled, and whoever waits for its first labels need not wait for two runs.
    if (classifier.#runner instanceof PlanInstance) return classifier;
    try {
      finish(classifier.warm());
    } catch (error) {
      classifier.dispose();
      // Operators that do not fit each other in shape show here and nowhere earlier: the file's fault, not a request's.
      const reason = (error as Error).message;
      throw new LabelerError("model-unusable", `The network does not run: ${reason}`, { cause: error });
    }
    return classifier;
  }

  /** Runs the network once, if it has not run yet: the first run takes longer than those behind it. */
  *warm(): Parts<void> {
    if (!this.#ran) yield* this.probabilities(new Uint8Array(this.input.height * this.input.width * 3));
  }

  /** Whether dispose() was called, after which nothing else may be. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * The probability of every class, in the order of the label file.
   *
   * @param pixels [height, width, 3] of `input`, 0..255, red first.
   */
  probabilities(pixels: Uint8Array): Parts<Float32Array> {
    const { height, width } = this.input;
    if (pixels.length !== height * width * 3)
      throw new RangeError(`pixels are ${pixels.length} bytes, not ${height * width * 3}`);
    return this.#infer(this.#inputFrom(pixels));
  }

  /**
   * As probabilities(), of numbers that are normalised already, for a network with float32 input.
   *
   * @param values [height, width, 3] of `input`, red first.
   * @throws LabelerError of kind bad-body where the network has its input in another order.
   */
  probabilitiesOf(values: Float32Array): Parts<Float32Array> {
    const { layout, shape } = this.input;
    if (layout === "rgb") return this.#infer({ values, shape });
    throw new LabelerError(
      "bad-body",
      `The network's input is [${shape.join(", ")}]: send pixels as UINT8, or image files as BYTES.`,
    );
  }

  #inputFrom(pixels: Uint8Array): Input {
    return inputFrom(pixels, this.#levels, this.input.layout, this.input.shape);
  }

  *#infer(input: Input): Parts<Float32Array> {
    const [output] = yield* this.#runner.runInParts([input]);
    this.#ran = true;
    return this.#probabilitiesIn(output);
  }

  #probabilitiesIn(output: Float32Array): Float32Array {
    const real = this.#outputScale === 1 ? output : output.map((value) => value * this.#outputScale);
    const isLogits = this.#output === "logits";
    if (real.length === 1) return ofOneScore(real[0], isLogits, this.labels.length);
    return isLogits ? softmax(real) : real;
  }

  /** The best labels for an image of the size that `input` says; see probabilities(). */
  *classify(pixels: Uint8Array, { top, min }: ClassifyOptions): Parts<Label[]> {
    return topK(yield* this.probabilities(pixels), this.labels, top, min);
  }

  /**
   * As classify(), and for one of the labels where it is seen.
   *
   * @param rank Of the label; 1 is the best.
   * @throws LabelerError of kind no-explanation for a network that has no such maps.
   */
  *explain(pixels: Uint8Array, rank: number, { top, min }: ClassifyOptions): Parts<Explanation> {
    const choose = ([output]: readonly Float32Array[]) => {
      if (output.length < this.labels.length) throw new NoActivation("The network has one score for two labels.");
      return topIndices(output, rank).at(-1) ?? 0;
    };
    try {
      const { outputs, activation } = yield* classActivation(this.#runner, [this.#inputFrom(pixels)], choose);
      return { labels: topK(this.#probabilitiesIn(outputs[0]), this.labels, top, min), map: activation };
    } catch (error) {
      if (!(error instanceof NoActivation)) throw error;
      throw new LabelerError("no-explanation", error.message, { cause: error });
    }
  }

  /** Frees the weights. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#runner.dispose();
  }
}
