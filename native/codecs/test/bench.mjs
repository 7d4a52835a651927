// Times and memory per file at the scale that a service picks, from bytes to a 224 x 224 output. Arguments: files; else
// the corpus. CPU time rather than the clock, since the machine may be shared.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { decode, serviceScale } from "./host.mjs";
import { reference } from "./reference.mjs";

const RUNS = 15;
const CORPUS = [
  ..."12mp_base.jpg 24mp_base.jpg 12mp_444.jpg 12mp_prog.jpg 24mp_prog.jpg 1080_base.jpg".split(" "),
  ..."1080_rgb.png 1080_inter.png 12mp_pal.png 12mp_lossy.webp 1080_ll.webp".split(" "),
].map((name) => join("corpus", "large", name));
const SMALL = "base420.jpg prog420.jpg rgb8.png lossy.webp ll.webp p.gif b24.bmp b8.bmp rle8.bmp";
if (process.argv.length <= 2 && !reference) {
  console.error("Set LABELER_REFERENCE to the folder that has the corpus, or name the files: bench.mjs FILE ...");
  process.exit(1);
}
const paths =
  process.argv.length > 2
    ? process.argv.slice(2)
    : [...CORPUS, ...SMALL.split(" ").map((name) => join("corpus", "variants", name))].map((p) => join(reference, p));

console.log(`${"file".padEnd(24)}${"image".padEnd(12)}eighths   ms  MB`);
for (const path of paths) {
  const bytes = readFileSync(path);
  const times = [];
  let info;
  let eighths = 8;
  const scale = (header) => {
    eighths = serviceScale(header, 224);
    return eighths;
  };
  for (let run = -3; run < RUNS; run++) {
    const begin = process.cpuUsage();
    ({ info } = decode(bytes, { scale }));
    const { user, system } = process.cpuUsage(begin);
    if (run >= 0) times.push((user + system) / 1000);
  }
  times.sort((a, b) => a - b);
  const median = times[RUNS >> 1].toFixed(1).padStart(7);
  const memory = (info.peakMemory / 2 ** 20).toFixed(1).padStart(5);
  console.log(
    `${basename(path).padEnd(24)}${`${info.width}x${info.height}`.padEnd(12)}${eighths}/8    ${median}${memory}`,
  );
}
