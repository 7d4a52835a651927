/**
 * Generates hostile bodies: JSON of any depth, width, type of value and number of fields up to the limit of a body, in
 * every place of every protocol, and the same in binary tensors and forms. None of them is labelled.
 */
import type { Random } from "./random.ts";

export interface HostileCase {
  /** What is hostile in it. */
  readonly name: string;
  readonly path: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly headers: Record<string, string>;
}

/** The model is called so. */
export const MODEL = "tiny";

/** Below the default of MAX_FORM_BYTES, with room for what stands around the hostile part. */
const LARGEST = 16_000_000;

/** Most bodies are small, so that there can be many. */
const sizeOf = (random: Random): number =>
  random.below(100) < 6 ? random.magnitude(LARGEST) : random.magnitude(random.any([2000, 50_000, 400_000]));

/** A text `parts` times, or as often as fits into `size`. */
const repeat = (part: string, size: number): string => part.repeat(Math.max(1, Math.floor(size / part.length)));

const ITEMS = [
  "1",
  "255",
  "-0.5372549295425415",
  "1e999",
  "null",
  "true",
  '"a"',
  '""',
  "{}",
  "[]",
  '{"x":1}',
  "[[1]]",
  '"\\u0041"',
];

const fields = (size: number): string => {
  const all: string[] = [];
  for (let length = 0; length < size; length += all[all.length - 1].length) all.push(`"k${all.length}":1`);
  return all.join();
};

/** Kinds of hostile values, of about so many bytes. */
const VALUES: Readonly<Record<string, (size: number, random: Random) => string>> = {
  "lists that are not closed": (size) => repeat("[", size),
  "lists in lists": (size, random) => repeat("[", size / 2) + random.any(["", "1", '"a"']) + repeat("]", size / 2),
  "objects in objects": (size) => `${repeat('{"a":', size)}1`,
  "both in each other": (size) => repeat('[{"data":', size),
  "a wide list": (size, random) => {
    const item = random.any(ITEMS);
    return `[${repeat(`${item},`, size)}${item}]`;
  },
  "a wide list that ends otherwise": (size, random) => `[${repeat("1,", size)}${random.any(ITEMS)}]`,
  "a broad tree": (size, random) => {
    const depth = 1 + random.below(6);
    const width = Math.max(1, Math.floor((size / 2) ** (1 / depth)));
    let tree = random.any(ITEMS);
    for (let level = 0; level < depth; level++) tree = `[${Array(width).fill(tree).join()}]`;
    return tree.length > LARGEST ? "[[[]]]" : tree;
  },
  "many fields": (size) => `{${fields(size)}}`,
  "the same field": (size) => `{${repeat('"data":[1],', size)}"data":1}`,
  "odd fields": (_, random) =>
    `{"${random.any(["__proto__", "constructor", "\\u0000", "toString"])}":${random.any(ITEMS)}}`,
  "objects of many fields": (size) => `[${repeat('{"a":1,"b":2,"c":[3]},', size)}1]`,
  "a long name of a field": (size) => `{"${"k".repeat(size)}":1}`,
  "a long text": (size, random) =>
    `"${repeat(random.any(["A", "é", "\\n", "\\/", "\\u4141", '\\"', "\\\\", "\n", "data:", ";base64,"]), size)}"`,
  "a text that does not end": (size) => `"${"A".repeat(size)}`,
  "many texts": (size, random) => `[${repeat(`"${"*".repeat(random.magnitude(3000))}",`, size)}"*"]`,
  "texts without commas": (size) => repeat('""', size),
  "a long number": (size, random) => `[${random.any(["", "-", "0.", "1e"])}${"1".repeat(size)}]`,
  "white space": (size) => `[1,${" ".repeat(size)}1]`,
  punctuation: (size, random) => repeat(random.any([",", ":", "}", "]", "[,", "{:"]), size),
};

/** Places for a value in the JSON of a protocol. */
const LABEL = [
  "@",
  '{"image":@}',
  '{"images":@}',
  "[@]",
  '{"images":[@]}',
  '{"images":[{"name":@,"image":"*"}]}',
  '{"image":"*","x":@}',
];
const CLASSIFY = [
  '{"inputs":@}',
  '{"inputs":"*","parameters":@}',
  '{"inputs":"*","parameters":{"top_k":@}}',
  '{"x":@}',
];

const tensor = (datatype: string, shape: string, data: string) =>
  `{"inputs":[{"name":"image","datatype":"${datatype}","shape":${shape},"data":${data}}]}`;
const INFER = [
  '{"inputs":@}',
  '{"inputs":[@]}',
  '{"id":@,"inputs":[]}',
  '{"parameters":@,"inputs":[]}',
  '{"inputs":[],"outputs":@}',
  tensor("UINT8", "@", "[1]"),
  tensor("UINT8", "[7,5,3]", "@"),
  tensor("FP32", "[1,7,5,3]", "@"),
  tensor("BYTES", "[1]", "@"),
  tensor("@", "[1]", "[1]").replace('"@"', "@"),
];

const JSON_PLACES: readonly (readonly [path: string, places: readonly string[]])[] = [
  ["/label", LABEL],
  ["/ekuiper/labelImage", LABEL],
  [`/models/${MODEL}`, CLASSIFY],
  [`/v2/models/${MODEL}/infer`, INFER],
];

function hostileJson(random: Random): HostileCase {
  const [path, places] = random.any(JSON_PLACES);
  const [name, make] = random.any(Object.entries(VALUES));
  const place = random.any(places);
  const size = sizeOf(random);
  const value = make(size, random);
  // A function, since "$" means something in a replacement.
  const body = place.replace("@", () => value);
  return { name: `${name} of ${size} bytes in ${place}`, path, body, headers: { "content-type": "application/json" } };
}

function hostileTensor(random: Random): HostileCase {
  const size = sizeOf(random);
  const datatype = random.any(["BYTES", "UINT8", "FP32"]);
  const element = random.any([0, 1, 255, 0xffffffff]);
  const bytes = new Uint8Array(size & ~3);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + 4 <= bytes.length; at += 4) view.setUint32(at, element, true);
  const shape = random.any(["[1,7,5,3]", `[${bytes.length / (datatype === "FP32" ? 4 : 1)}]`, "[1e15,1e15]", "[0]"]);
  const declared = random.any([bytes.length, 0, 2 ** 53, -1]);
  const json = `{"inputs":[{"name":"image","datatype":"${datatype}","shape":${shape},"parameters":{"binary_data_size":${declared}}}]}`;
  const header = random.any([`${json.length}`, `${json.length}`, "0", "-1", "1e3", "9".repeat(random.magnitude(4000))]);
  return {
    name: `a binary ${datatype} of ${bytes.length} bytes, each word ${element}, header ${header.slice(0, 20)}`,
    path: `/v2/models/${MODEL}/infer`,
    body: new Uint8Array(Buffer.concat([Buffer.from(json), bytes])),
    headers: { "inference-header-content-length": header },
  };
}

function hostileForm(random: Random): HostileCase {
  const size = sizeOf(random);
  const boundary = random.any(["b", "-".repeat(60), "x".repeat(70)]);
  const disposition = random.any([
    'form-data; name="f"',
    'form-data; name="image"; filename="a"',
    `form-data; name="${"n".repeat(random.magnitude(size))}"`,
    `form-data; name=image; filename="${"n".repeat(random.magnitude(size))}"`,
    "",
  ]);
  const value = repeat(
    random.any(["x", "漢", "\n-", `\n--${boundary.slice(0, -1)}`, "\r\n\r\n", "\0"]),
    random.magnitude(size),
  );
  const part = `--${boundary}\r\nContent-Disposition: ${disposition}\r\n\r\n${value}\r\n`;
  const end = random.any([`--${boundary}--\r\n`, "", `--${boundary}`]);
  return {
    name: `a form of ${size} bytes, parts ${JSON.stringify(disposition.slice(0, 40))}, boundary ${boundary.length}`,
    path: random.any(["/label", "/ekuiper/labelImage"]),
    body: repeat(part, size).slice(0, LARGEST / 2) + end,
    headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
  };
}

/** The next hostile body. */
export function hostileCase(random: Random): HostileCase {
  const kind = random.below(10);
  if (kind === 0) return hostileTensor(random);
  return kind === 1 ? hostileForm(random) : hostileJson(random);
}
