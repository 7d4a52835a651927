/**
 * Decodes Deflate (RFC 1951) in steps of bounded size: only one window and one step of decoded bytes are in memory at
 * once. DecompressionStream has no such bound: it decodes all of its input at once, and 300 KB may become 300 MB.
 */

/** The compressed bytes are invalid; the message says why. */
export class InflateError extends Error {
  override readonly name = "InflateError";
}

/** The largest distance of a match, in bytes. */
const WINDOW = 32 << 10;

/** About the most that is decoded in one step, in bytes: a millisecond before V8 has optimised the code. */
export const STEP = 16 << 10;

/** The longest match, in bytes. */
const LONGEST_MATCH = 258;

const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
];
const DISTANCE_BITS = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];

/** The order in which the code lengths of the code-length alphabet are stored. */
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

const LONGEST_CODE = 15;

/** A length and a distance with their extra bits take 48 bits; lookahead takes a few more. */
const MOST_SYMBOL_BYTES = 16;

/** Codes of up to this many bits are looked up in a table; longer ones are rare, and their table would not pay off. */
const FAST_BITS = 9;
const FAST_MASK = (1 << FAST_BITS) - 1;

interface Code {
  /** Indexed by the next FAST_BITS bits: symbol << 4 | length; 0 where the code is longer. */
  readonly fast: Uint16Array;
  /** The number of codes of each length. */
  readonly counts: Uint16Array;
  /** Symbols in the order of their codes. */
  readonly symbols: Uint16Array;
}

/**
 * @param lengths The code length of each symbol, 0 for unused ones.
 *
 * @throws InflateError if they form no prefix code.
 */
function codeOf(lengths: Uint8Array): Code {
  const counts = new Uint16Array(LONGEST_CODE + 1);
  for (const length of lengths) counts[length]++;
  const used = lengths.length - counts[0];
  counts[0] = 0;
  const code = new Uint16Array(LONGEST_CODE + 2);
  const place = new Uint16Array(LONGEST_CODE + 2);
  let left = 1;
  for (let length = 1; length <= LONGEST_CODE; length++) {
    left = 2 * left - counts[length];
    if (left < 0) throw new InflateError("a Huffman code has too many symbols");
    code[length + 1] = (code[length] + counts[length]) << 1;
    place[length + 1] = place[length] + counts[length];
  }
  // Only a code of one symbol may be incomplete.
  if (left > 0 && used > 1) throw new InflateError("a Huffman code is incomplete");
  const fast = new Uint16Array(1 << FAST_BITS);
  const symbols = new Uint16Array(used);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol];
    if (length === 0) continue;
    symbols[place[length]++] = symbol;
    let bits = code[length]++;
    if (length > FAST_BITS) continue;
    let reversed = 0;
    for (let i = 0; i < length; i++, bits >>= 1) reversed = (reversed << 1) | (bits & 1);
    for (let at = reversed; at < fast.length; at += 1 << length) fast[at] = (symbol << 4) | length;
  }
  return { fast, counts, symbols };
}

const fixedLengths = new Uint8Array(288).fill(8).fill(9, 144, 256).fill(7, 256, 280);
let fixed: { readonly literals: Code; readonly distances: Code } | undefined;

const NO_CODE = codeOf(new Uint8Array());

/**
 * The most blocks in one step. A block costs more than its bytes, since it may begin with a Huffman code, and no
 * encoder writes many blocks of hardly a byte each.
 */
const BLOCKS_PER_STEP = 32;
const FREE_BLOCKS = 10_000;
const LEAST_BLOCK = 16;

/** Thrown when more bits are needed than have arrived. */
const STARVED = Symbol("starved");

export class Inflate {
  /** Decoded bytes, the window first. */
  readonly #output = new Uint8Array(WINDOW + 8 * (STEP + LONGEST_MATCH));
  /** The end of the window and the beginning of the step. */
  #start = 0;
  #end = 0;
  #input: Uint8Array = new Uint8Array();
  #at = 0;
  /** Bits that were taken from the input, the next one in the lowest place. */
  #bits = 0;
  #count = 0;
  #last = false;
  #block: "header" | "stored" | "codes" | "ended" = "header";
  #stored = 0;
  #literals: Code = NO_CODE;
  #distances: Code = NO_CODE;
  #starved = true;
  /** Blocks since the first byte; restart() does not reset it. */
  #blocks = 0;
  #decoded = 0;

  /** Whether the end of the compressed data was reached. */
  get ended(): boolean {
    return this.#block === "ended";
  }

  /** Whether it needs more compressed bytes. */
  get starved(): boolean {
    return this.#starved;
  }

  /** Adds compressed bytes, which must stay valid until `starved` is true again. */
  push(input: Uint8Array): void {
    this.#starved = false;
    const left = this.#input.subarray(this.#at);
    this.#at = 0;
    if (left.length === 0) {
      this.#input = input;
      return;
    }
    this.#input = new Uint8Array(left.length + input.length);
    this.#input.set(left);
    this.#input.set(input, left.length);
  }

  /** Copies the bytes that were pushed and not yet taken: a few when `starved` is true. */
  keep(): void {
    this.#input = this.#input.slice(this.#at);
    this.#at = 0;
  }

  /** Starts over with the next compressed data. @returns The bytes after the end of the previous data. */
  restart(): Uint8Array {
    this.#skip(this.#count & 7);
    const taken = Uint8Array.from({ length: this.#count >> 3 }, (_, i) => this.#bits >>> (8 * i));
    const left = this.#input.subarray(this.#at);
    const rest = new Uint8Array(taken.length + left.length);
    rest.set(taken);
    rest.set(left, taken.length);
    this.#input = new Uint8Array();
    [this.#at, this.#bits, this.#count, this.#end] = [0, 0, 0, 0];
    this.#block = "header";
    this.#starved = true;
    return rest;
  }

  /**
   * Decodes the next step.
   *
   * @returns At most about STEP bytes, possibly none, which are valid until the next call.
   * @throws InflateError if the input is not valid Deflate data.
   */
  step(): Uint8Array {
    if (this.#end + STEP + LONGEST_MATCH > this.#output.length) {
      this.#output.copyWithin(0, this.#end - WINDOW, this.#end);
      this.#end = WINDOW;
    }
    this.#start = this.#end;
    const blocks = this.#blocks + BLOCKS_PER_STEP;
    try {
      while (this.#block !== "ended" && this.#end - this.#start < STEP && this.#blocks < blocks) this.#run();
    } catch (error) {
      if (error !== STARVED) throw error;
      this.#starved = true;
    }
    this.#decoded += this.#end - this.#start;
    return this.#output.subarray(this.#start, this.#end);
  }

  #run(): void {
    if (this.#block === "header") this.#header();
    else if (this.#block === "stored") this.#copyStored();
    else this.#decode();
  }

  /** Takes this many bits, at most 16. */
  #take(count: number): number {
    while (this.#count < count) {
      if (this.#at >= this.#input.length) throw STARVED;
      this.#bits |= this.#input[this.#at++] << this.#count;
      this.#count += 8;
    }
    const value = this.#bits & ((1 << count) - 1);
    this.#skip(count);
    return value;
  }

  #symbol({ fast, counts, symbols }: Code): number {
    while (this.#count < LONGEST_CODE && this.#at < this.#input.length) {
      this.#bits |= this.#input[this.#at++] << this.#count;
      this.#count += 8;
    }
    const entry = fast[this.#bits & FAST_MASK];
    if (entry !== 0) {
      this.#skip(entry & 15);
      return entry >> 4;
    }
    let [code, first, place] = [0, 0, 0];
    for (let length = 1; length <= LONGEST_CODE; length++) {
      code |= (this.#bits >> (length - 1)) & 1;
      if (code - counts[length] < first) {
        this.#skip(length);
        return symbols[place + code - first];
      }
      place += counts[length];
      first = (first + counts[length]) << 1;
      code <<= 1;
    }
    if (this.#count < LONGEST_CODE) throw STARVED;
    throw new InflateError("there is no such code");
  }

  #skip(length: number): void {
    if (length > this.#count) throw STARVED;
    this.#bits >>>= length;
    this.#count -= length;
  }

  /**
   * Reads the header of a block; if part of it has not arrived, reads it again from its beginning with the next bytes.
   */
  #header(): void {
    if (this.#blocks > FREE_BLOCKS + this.#decoded / LEAST_BLOCK) throw new InflateError("it has too many blocks");
    const saved = [this.#at, this.#bits, this.#count] as const;
    try {
      const last = this.#take(1) === 1;
      const type = this.#take(2);
      if (type === 0) this.#beginStored();
      else if (type === 1) this.#beginFixed();
      else if (type === 2) this.#beginDynamic();
      else throw new InflateError("there is no such kind of block");
      this.#last = last;
      this.#blocks++;
    } catch (error) {
      if (error === STARVED) [this.#at, this.#bits, this.#count] = saved;
      throw error;
    }
  }

  #beginStored(): void {
    this.#take(this.#count & 7);
    const length = this.#take(16);
    if ((length ^ this.#take(16)) !== 0xffff) throw new InflateError("a stored block's length is wrong");
    this.#stored = length;
    this.#block = "stored";
  }

  #beginFixed(): void {
    fixed ??= { literals: codeOf(fixedLengths), distances: codeOf(new Uint8Array(32).fill(5)) };
    ({ literals: this.#literals, distances: this.#distances } = fixed);
    this.#block = "codes";
  }

  #beginDynamic(): void {
    const literals = this.#take(5) + 257;
    const distances = this.#take(5) + 1;
    const codes = this.#take(4) + 4;
    if (literals > 286 || distances > 30) throw new InflateError("a Huffman code has too many symbols");
    const codeLengths = new Uint8Array(CODE_LENGTH_ORDER.length);
    for (let i = 0; i < codes; i++) codeLengths[CODE_LENGTH_ORDER[i]] = this.#take(3);
    const code = codeOf(codeLengths);
    const lengths = new Uint8Array(literals + distances);
    for (let at = 0; at < lengths.length; ) {
      const symbol = this.#symbol(code);
      if (symbol < 16) {
        lengths[at++] = symbol;
        continue;
      }
      const repeated = symbol === 16 ? lengths[at - 1] : 0;
      if (repeated === undefined) throw new InflateError("there is no length to repeat");
      const times = symbol === 16 ? 3 + this.#take(2) : symbol === 17 ? 3 + this.#take(3) : 11 + this.#take(7);
      if (at + times > lengths.length) throw new InflateError("there are too many lengths");
      lengths.fill(repeated, at, at + times);
      at += times;
    }
    if (lengths[256] === 0) throw new InflateError("a block has no end");
    this.#literals = codeOf(lengths.subarray(0, literals));
    this.#distances = codeOf(lengths.subarray(literals));
    this.#block = "codes";
  }

  #copyStored(): void {
    // Whole bytes may already be among the buffered bits.
    while (this.#stored > 0 && this.#count > 0) {
      this.#output[this.#end++] = this.#take(8);
      this.#stored--;
    }
    const length = Math.min(this.#stored, this.#input.length - this.#at, this.#start + STEP - this.#end);
    this.#output.set(this.#input.subarray(this.#at, this.#at + Math.max(0, length)), this.#end);
    this.#at += Math.max(0, length);
    this.#end += Math.max(0, length);
    this.#stored -= Math.max(0, length);
    if (this.#stored === 0) this.#block = this.#last ? "ended" : "header";
    else if (this.#at === this.#input.length) throw STARVED;
  }

  /** Decodes literals and matches, up to the end of the block or of the step. */
  #decode(): void {
    const full = this.#start + STEP;
    // Up to here, no symbol can run out of input.
    const safe = this.#input.length - MOST_SYMBOL_BYTES;
    while (this.#at < safe && this.#end < full && this.#block === "codes") this.#decodeFast(safe, full);
    while (this.#end < full && this.#block === "codes") {
      const [at, bits, count] = [this.#at, this.#bits, this.#count];
      try {
        this.#decodeSymbol();
      } catch (error) {
        if (error === STARVED) [this.#at, this.#bits, this.#count] = [at, bits, count];
        throw error;
      }
    }
  }

  /** Like #decodeSymbol() in a loop, for literals and matches of short codes; decodes at least one symbol. */
  #decodeFast(safe: number, full: number): void {
    const input = this.#input;
    const output = this.#output;
    const literals = this.#literals.fast;
    const distances = this.#distances.fast;
    let [at, bits, count, end] = [this.#at, this.#bits, this.#count, this.#end];
    while (at < safe && end < full) {
      while (count < 16) {
        bits |= input[at++] << count;
        count += 8;
      }
      const entry = literals[bits & FAST_MASK];
      const symbol = entry >> 4;
      if (entry === 0 || symbol === 256) break;
      if (symbol < 256) {
        output[end++] = symbol;
        bits >>>= entry & 15;
        count -= entry & 15;
        continue;
      }
      // The bits suffice for a length (code of 9 bits, 5 extra bits), then for a distance (9 and 13 bits) in two parts.
      const [savedAt, savedBits, savedCount] = [at, bits, count];
      bits >>>= entry & 15;
      count -= entry & 15;
      const extra = LENGTH_BITS[symbol - 257];
      const length = LENGTH_BASE[symbol - 257] + (bits & ((1 << extra) - 1));
      bits >>>= extra;
      count -= extra;
      while (count < 16) {
        bits |= input[at++] << count;
        count += 8;
      }
      const far = distances[bits & FAST_MASK];
      bits >>>= far & 15;
      count -= far & 15;
      while (count < 16) {
        bits |= input[at++] << count;
        count += 8;
      }
      const farBits = DISTANCE_BITS[far >> 4];
      let from = end - DISTANCE_BASE[far >> 4] - (bits & ((1 << farBits) - 1));
      if (far === 0 || symbol > 285 || !(from >= 0)) {
        [at, bits, count] = [savedAt, savedBits, savedCount];
        break;
      }
      bits >>>= farBits;
      count -= farBits;
      for (const stop = end + length; end < stop; ) output[end++] = output[from++];
    }
    [this.#at, this.#bits, this.#count, this.#end] = [at, bits, count, end];
    if (at < safe && end < full) this.#decodeSymbol();
  }

  #decodeSymbol(): void {
    const symbol = this.#symbol(this.#literals);
    if (symbol < 256) this.#output[this.#end++] = symbol;
    else if (symbol === 256) this.#block = this.#last ? "ended" : "header";
    else this.#match(symbol - 257);
  }

  #match(symbol: number): void {
    const base = LENGTH_BASE[symbol];
    if (base === undefined) throw new InflateError("there is no such length");
    const length = base + this.#take(LENGTH_BITS[symbol]);
    const distanceSymbol = this.#symbol(this.#distances);
    const distanceBase = DISTANCE_BASE[distanceSymbol];
    if (distanceBase === undefined) throw new InflateError("there is no such distance");
    const distance = distanceBase + this.#take(DISTANCE_BITS[distanceSymbol]);
    const from = this.#end - distance;
    if (from < 0) throw new InflateError("a distance reaches behind the beginning");
    const output = this.#output;
    for (let i = 0; i < length; i++) output[this.#end + i] = output[from + i];
    this.#end += length;
  }
}
