/** Which names classes may have: text, and never a path. */

/** The label of an image that is of none of a model's classes. */
export const UNKNOWN = "unknown";

/** The longest name, in characters. */
const MOST = 128;

/** @returns Why a class cannot have this name, to follow the name of the field; undefined if it can. */
export function whyNotClassName(name: string): string | undefined {
  if (name.trim() === "") return "a name is empty";
  if (name.length > MOST) return `a name has ${name.length} characters; ${MOST} are allowed`;
  if (/\p{Cc}/u.test(name)) return "a name has a control character in it";
  if (name === UNKNOWN) return `"${UNKNOWN}" is reserved: it is the label of images that are of no class`;
  return undefined;
}
