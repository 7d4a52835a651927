/** Lists the images that the arguments of `npm run label` name: files, folders, patterns, `-` for stdin. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { CommandError, fromUser } from "../../command-line/command.ts";

/** An image that has not been read yet. */
export interface Image {
  /** The name that the user knows. */
  readonly name: string;
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

/** The files that are read from a folder; a file that is named itself is read whatever its name. */
const IN_FOLDERS = "**/*.{jpg,jpeg,jpe,png,apng,webp,gif,bmp,dib,tif,tiff,pnm,pgm,ppm}";

const fromFile = (name: string): Image => ({ name, read: async () => new Uint8Array(await readFile(fromUser(name))) });
const fromStdin = (): Image => ({
  name: "-",
  read: async () => new Uint8Array(Buffer.concat(await process.stdin.toArray())),
});

async function find(pattern: string, folder = "."): Promise<string[]> {
  const { glob } = await import("tinyglobby");
  const names = await glob(pattern, { cwd: fromUser(folder), caseSensitiveMatch: false, expandDirectories: false });
  // Natural order: shelf-2.jpg before shelf-10.jpg.
  return names.sort(new Intl.Collator("en", { numeric: true }).compare);
}

async function imagesOf(argument: string): Promise<Image[]> {
  if (argument === "-") return [fromStdin()];
  const found = await stat(fromUser(argument)).catch(() => undefined);
  if (found?.isDirectory()) {
    const names = await find(IN_FOLDERS, argument);
    if (names.length === 0)
      throw new CommandError(`${argument} has no images in it (jpg, png, webp, gif, bmp, tiff or pnm).`);
    return names.map((name) => fromFile(join(argument, name)));
  }
  if (found !== undefined) return [fromFile(argument)];
  if (/^https?:\/\//.test(argument)) {
    throw new CommandError(
      `${argument} is an address, and images are read from files. Download it: curl -sSLO ADDRESS`,
    );
  }
  const names = /[*?[{]/.test(argument) ? await find(argument) : [];
  if (names.length > 0) return names.map(fromFile);
  throw new CommandError(`${argument} is neither a file nor a folder nor a pattern that matches any.`);
}

/**
 * @param args Files, folders (with all below them), patterns such as `photos/*.jpg`, or `-` for an image on stdin.
 * @throws CommandError for the first argument that does not name an image.
 */
export async function imagesOfAll(args: readonly string[]): Promise<Image[]> {
  const images: Image[] = [];
  for (const argument of args) images.push(...(await imagesOf(argument)));
  return images;
}
