/** Says in words and a table what a taught head can do, and what would help it. */
import { FEWEST_FOR_UNKNOWN } from "../../../../worker/teaching/novelty.ts";
import type { Taught } from "../../../../worker/teaching/teach.ts";
import { interval, type Judgement, judge, type LeftOut } from "./judgement.ts";
import type { PreparedLesson } from "./lesson.ts";
import type { Photo } from "./photos.ts";

const percent = (part: number) => `${(100 * part).toFixed(0)} %`;

const nameOf = ({ name, digest }: Photo) => name ?? digest.slice(0, 12);

/** So many photos are named of each kind; the others are counted. */
const NAMED = 10;

/** A photo that is called something else with at least this confidence may well have the wrong label. */
const SURE = 0.8;

/** Of more classes the matrix would be wider than a terminal. */
const WIDEST = 12;

/** A class is asked to have more photos below this share of photos that are recognised. */
const GOOD = 0.9;

function list<T>(title: string, items: readonly T[], line: (item: T) => string): string[] {
  if (items.length === 0) return [];
  const more = items.length - NAMED;
  return [
    "",
    title,
    ...items.slice(0, NAMED).map((item) => `  ${line(item)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function matrix(labels: readonly string[], confusion: Judgement["confusion"]): string[] {
  if (labels.length > WIDEST) {
    const pairs = confusion.flatMap((row, truth) =>
      row.flatMap((count, answer) => (count > 0 && truth !== answer ? [{ truth, answer, count }] : [])),
    );
    pairs.sort((a, b) => b.count - a.count);
    return list("What is taken for what:", pairs, ({ truth, answer, count }) => {
      return `${labels[truth]} for ${labels[answer]}: ${count}`;
    });
  }
  const widths = labels.map((label, c) => Math.max(label.length, ...confusion.map((row) => `${row[c]}`.length)));
  const first = Math.max(...labels.map(({ length }) => length));
  const line = (head: string, cells: readonly string[]) =>
    `  ${head.padEnd(first)}  ${cells.map((cell, c) => cell.padStart(widths[c] ?? 0)).join("  ")}`;
  const rows = confusion.map((row, truth) => line(labels[truth] ?? "", row.map(String)));
  return ["", "A row for each class, a column for each answer:", line("", labels), ...rows];
}

/** Which class would gain most by more photos, and why. */
function advice(labels: readonly string[], { confusion }: Judgement): string {
  const classes = confusion.map((row, index) => {
    const count = row.reduce((sum, value) => sum + value, 0);
    return { label: labels[index] ?? "", count, share: (row[index] ?? 0) / count };
  });
  const [smallest] = classes.toSorted((a, b) => a.count - b.count);
  if (smallest !== undefined && smallest.count < FEWEST_FOR_UNKNOWN) {
    const photos = smallest.count === 1 ? "one photo" : `${smallest.count} photos`;
    return `"${smallest.label}" needs more photos: it has ${photos}, and ten are a good beginning.`;
  }
  const [worst] = classes.toSorted((a, b) => a.share - b.share || a.count - b.count);
  if (worst !== undefined && worst.share < GOOD) {
    return `"${worst.label}" needs more photos: ${percent(worst.share)} of its ${worst.count} are recognised. Choose some that look different.`;
  }
  return "No class stands out. Photos at other times of day, in other weather and from other days make it more robust.";
}

/** The lines of the report. */
export function report(taught: Taught, prepared: PreparedLesson): string[] {
  const { photos, lesson, failed, duplicates, reused, poor } = prepared;
  const { labels } = lesson;
  const judgement = judge(taught);
  const { right, shots, alike, confusion } = judgement;
  const [low, high] = interval(right, shots);
  const wrong = judgement.photos.filter(({ truth, answer }) => truth !== answer);
  wrong.sort((a, b) => b.confidence - a.confidence);
  const called = ({ place, truth, answer, confidence }: LeftOut) =>
    `${nameOf(photos[place] as Photo)}: ${labels[truth]}, called ${labels[answer]} (${percent(confidence)})`;
  const file = ({ name, error }: { name: string; error: string }) => `${name}: ${error}`;
  const before = reused === 0 ? "" : `, ${reused} of which were taught before`;
  const frames = shots === photos.length ? "" : ` Photos of one shot count as one: there are ${shots} shots.`;
  const [smallest] = labels
    .map((label, index) => ({ label, count: lesson.classes.filter((own) => own === index).length }))
    .sort((a, b) => a.count - b.count);
  return [
    `Taught ${labels.length} classes with ${photos.length} photos${before}.`,
    `Each left out in turn, ${percent(right / shots)} are recognised (between ${percent(low)} and ${percent(high)} with 95 % confidence).${frames}`,
    ...matrix(labels, confusion),
    ...list(
      "These may have the wrong label:",
      wrong.filter(({ confidence }) => confidence >= SURE),
      called,
    ),
    ...list(
      "These are hard:",
      wrong.filter(({ confidence }) => confidence < SURE),
      called,
    ),
    ...list("These are so alike that they count as one:", alike, (group) =>
      group.map((place) => nameOf(photos[place] as Photo)).join(", "),
    ),
    ...list("These are the same file, and were taught once:", duplicates, ({ name, of }) => `${name} and ${of}`),
    ...list("These could not be used:", failed, file),
    "",
    advice(labels, judgement),
    taught.head.novelty === undefined
      ? `Not ready for "unknown": "${smallest?.label}" has too few different photos; each class needs ${FEWEST_FOR_UNKNOWN}.`
      : 'Photos that are unlike all of these are labelled "unknown".',
    ...(poor
      ? [
          "The base has no features.json, so that photos are compared by the statistics of these photos alone. Better: " +
            `npm run model -- statistics ${lesson.base.name} FOLDER, with 500 photos of any kind.`,
        ]
      : []),
  ];
}
