/**
 * A fixed camera whose scene has two states: something is in one place of it, or is not. Five frames of each state are
 * taught, of which none is like another in exposure; then others are recognised.
 */
import { keepExamples } from "../../../worker/teaching/examples.ts";
import type { Features } from "../../../worker/teaching/features.ts";
import { Head } from "../../../worker/teaching/head.ts";
import { layoutOf, sampleOf } from "../../../worker/teaching/sample.ts";
import type { BaseStatistics } from "../../../worker/teaching/statistics.ts";
import { teachHead } from "../../../worker/teaching/teach.ts";
import { CommandError } from "../../command-line/command.ts";
import { Progress } from "../../command-line/progress.ts";
import { FeatureServer } from "../../user/model/teach/feature-server.ts";
import { readPhoto } from "../rivals/encoders.js";
import { VIEWS, type View } from "./goals.ts";
import { frameOf, pasted, resized, SeededRandom } from "./pictures.ts";

const SCENES = 12;
const TAUGHT = 5;
const ASKED = 8;
const [WIDTH, HEIGHT] = [640, 480];
/** Where the two states differ, in fractions. */
const PLACE = { x0: 0.5, y0: 0.4, x1: 0.75, y1: 0.7 } as const;
const CROPS: Readonly<Record<View, string>> = { "whole frame": "squash", region: "0.5,0.4,0.75,0.7" };

/** A frame of state 1 or 0, with its features in each view. */
interface Frame {
  readonly state: number;
  readonly features: Readonly<Record<View, Features>>;
}

/** The share of `asked` that a head recognises. */
function recognised(taught: readonly Frame[], asked: readonly Frame[], view: View, statistics: BaseStatistics): number {
  const samples = taught.map(({ features }) => sampleOf(features[view], statistics));
  const { head } = teachHead({
    base: { name: "base", sha256: "", precision: "", crop: "" },
    labels: ["without", "with"],
    statistics,
    examples: keepExamples(samples, layoutOf((taught[0] as Frame).features[view])),
    classes: Uint16Array.from(taught, ({ state }) => state),
    digests: new Uint8Array(32 * taught.length),
  });
  const asks = new Head(head);
  const right = asked.filter(({ state, features }) => {
    const { probabilities } = asks.scoreSample(sampleOf(features[view], statistics));
    return (probabilities[1] ?? 0) > (probabilities[0] ?? 0) === (state === 1);
  });
  return right.length / asked.length;
}

async function frames(
  count: number,
  [background, patch]: readonly [string, string],
  random: SeededRandom,
  featuresOf: (body: Uint8Array<ArrayBuffer>, crop: string) => Promise<Features>,
): Promise<Frame[]> {
  const scene = resized(readPhoto(background), WIDTH, HEIGHT);
  const [left, top] = [Math.floor(PLACE.x0 * WIDTH), Math.floor(PLACE.y0 * HEIGHT)];
  const [right, bottom] = [Math.floor(PLACE.x1 * WIDTH), Math.floor(PLACE.y1 * HEIGHT)];
  const changed = pasted(scene, resized(readPhoto(patch), right - left, bottom - top), left, top);
  const found: Frame[] = [];
  for (const state of [0, 1]) {
    for (let i = 0; i < count; i++) {
      const body = new Uint8Array(await frameOf(state === 1 ? changed : scene, random));
      const [whole, region] = [await featuresOf(body, CROPS["whole frame"]), await featuresOf(body, CROPS.region)];
      found.push({ state, features: { "whole frame": whole, region } });
    }
  }
  return found;
}

/**
 * @param photos JPEGs, of which backgrounds and what is put into them are chosen.
 * @returns The share of frames that is recognised in each scene, by view.
 */
export async function runScenes(
  models: string,
  { photos, statistics, ...query }: SceneOptions,
): Promise<Record<View, number[]>> {
  const random = new SeededRandom(7);
  const shares: Record<View, number[]> = { "whole frame": [], region: [] };
  const server = new FeatureServer(models);
  const progress = new Progress(SCENES);
  const featuresOf = async (body: Uint8Array<ArrayBuffer>, crop: string) => {
    const answer = await server.features({ ...query, crop }, body);
    if ("error" in answer) throw new CommandError(answer.error);
    return answer.features;
  };
  try {
    for (let i = 0; i < SCENES; i++) {
      progress.show(i);
      const pick = () => photos[random.whole(0, photos.length - 1)] ?? "";
      const pair = [pick(), pick()] as const;
      const all = await frames(TAUGHT + ASKED, pair, random, featuresOf);
      const each = (from: number, to: number) =>
        [0, 1].flatMap((state) => all.filter((frame) => frame.state === state).slice(from, to));
      for (const view of VIEWS)
        shares[view].push(recognised(each(0, TAUGHT), each(TAUGHT, TAUGHT + ASKED), view, statistics));
    }
  } finally {
    progress.clear();
    await server.stop();
  }
  return shares;
}

interface SceneOptions {
  readonly model: string;
  readonly precision: string;
  readonly photos: readonly string[];
  readonly statistics: BaseStatistics;
}
