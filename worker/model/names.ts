/** Which names models, their files and their classes may have. Names of classes are text and never a path. */

/** A model's name goes into URLs and query strings as it is, and is the name of its folder. */
export const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A file in a model's own folder: no path leads out of it, and no hidden file is meant. */
export const FILE_NAME = /^[\w-][\w.-]{0,63}$/;

/** The label of an image that is of none of a model's classes, or of which the model is not sure. */
export const UNKNOWN = "unknown";

/** In characters. */
const MOST = 128;

/** @returns Why a class or a group cannot have this name, to follow the name of the field; undefined if it can. */
export function whyNotClassName(name: string): string | undefined {
  if (name.trim() === "") return "a name is empty";
  if (name.length > MOST) return `a name has ${name.length} characters; ${MOST} are allowed`;
  if (/\p{Cc}/u.test(name)) return "a name has a control character in it";
  if (name === UNKNOWN) return `"${UNKNOWN}" is reserved: it is the label of images that are of no class`;
  return undefined;
}
