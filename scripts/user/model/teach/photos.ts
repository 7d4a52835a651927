/** The photos of a lesson: which there are, of which class each is, and which of them are the same file. */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { whyNotClassName } from "../../../../worker/model/names.ts";
import { CommandError, fromUser } from "../../../command-line/command.ts";
import { type Image, imagesOfAll } from "../../label/images.ts";
import { readImage } from "../../label/post-image.ts";

/** A photo that was named, with its class. */
export interface NamedPhoto {
  readonly image: Image;
  readonly label: string;
  /** The region of which it is cropped, where the photos of one head are cropped by several. */
  readonly place?: { readonly name: string; readonly crop: string };
}

/** A photo that was read. */
export interface Photo {
  /** As the user knows the file; undefined where only its example is left. */
  readonly name: string | undefined;
  readonly label: string;
  /** The SHA-256 of the file, in hexadecimal; with a place, that of the file's SHA-256, a space and the rectangle. */
  readonly digest: string;
}

/** @throws CommandError for a name that no class can have. */
export function checkLabel(label: string): void {
  const reason = whyNotClassName(label);
  if (reason !== undefined) throw new CommandError(`The class ${JSON.stringify(label)} cannot be taught: ${reason}.`);
}

/** @returns The photos in the folders of a folder, each named as its class. */
export async function photosInFolder(folder: string): Promise<NamedPhoto[]> {
  const entries = await readdir(fromUser(folder), { withFileTypes: true }).catch((error: Error) => {
    throw new CommandError(`${folder} cannot be read: ${error.message}`);
  });
  const labels = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map(({ name }) => name);
  if (labels.length === 0) {
    throw new CommandError(
      `${folder} has no folders in it. Put the photos of each class into a folder named as the class.`,
    );
  }
  return photosOfClasses(labels.sort().map((label) => ({ label, files: [join(folder, label)] })));
}

/** @param classes The files, folders or patterns of each class. */
export async function photosOfClasses(
  classes: readonly { readonly label: string; readonly files: readonly string[] }[],
): Promise<NamedPhoto[]> {
  const photos: NamedPhoto[] = [];
  for (const { label, files } of classes) {
    checkLabel(label);
    if (files.length === 0) throw new CommandError(`The class "${label}" has no photos: name them behind it.`);
    for (const image of await imagesOfAll(files)) photos.push({ image, label });
  }
  return photos;
}

/** A photo with its file's bytes. */
export interface ReadPhoto extends Photo {
  readonly body: Uint8Array<ArrayBuffer>;
}

const digestOf = (content: Uint8Array | string) => createHash("sha256").update(content).digest("hex");

/** @returns The photo, or why it cannot be read. */
export async function readPhoto({ image, label, place }: NamedPhoto): Promise<ReadPhoto | { error: string }> {
  const read = await readImage(image);
  if ("error" in read) return read;
  const digest = digestOf(read.body);
  if (place === undefined) return { name: image.name, label, digest, body: read.body };
  return { name: `${image.name}, ${place.name}`, label, digest: digestOf(`${digest} ${place.crop}`), body: read.body };
}

/** Which photos there are already. */
export class SeenPhotos {
  readonly #photos = new Map<string, Photo>();
  /** Files that are the same as another one of their class. */
  readonly duplicates: { readonly name: string; readonly of: string }[] = [];

  /**
   * @returns Whether it is a photo that there is not yet.
   * @throws CommandError if the same photo is in another class: one of the two is wrong.
   */
  add(photo: Photo): boolean {
    const known = this.#photos.get(photo.digest);
    if (known === undefined) {
      this.#photos.set(photo.digest, photo);
      return true;
    }
    const [first, second] = [known.name ?? `a photo that was taught before (${known.digest.slice(0, 12)})`, photo.name];
    if (known.label !== photo.label) {
      throw new CommandError(
        `${first} and ${second} are the same photo, but one is of the class "${known.label}" and the other of ` +
          `"${photo.label}". Remove the wrong one.`,
        1,
      );
    }
    this.duplicates.push({ name: second ?? photo.digest, of: first });
    return false;
  }
}
