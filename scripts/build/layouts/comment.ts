/** Formats comments to the width of the code. */

const WIDTH = 120;

/** Wraps words into lines of up to `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A C comment: on one line, or on several that begin with a star. */
export function comment(text: string, indent = ""): string {
  const lines = wrap(text, WIDTH - indent.length - "/*  */".length);
  return `${indent}/* ${lines.join(`\n${indent} * `)} */`;
}

/** A JSDoc comment. @param depth The indentation, in characters. */
export function jsDoc(text: string, depth: number): string {
  const one = `/** ${text} */`;
  if (depth + one.length <= WIDTH) return one;
  return ["/**", ...wrap(text, WIDTH - depth - " * ".length).map((line) => ` * ${line}`), " */"].join("\n");
}
