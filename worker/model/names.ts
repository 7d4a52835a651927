/** Which names models, their files and their classes may have. Names of classes are text and never a path. */

/** A model's name goes into URLs and query strings as it is, and is the name of its folder. */
export const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A file in a model's own folder: no path leads out of it, and no hidden file is meant. */
export const FILE_NAME = /^[\w-][\w.-]{0,63}$/;

export { UNKNOWN, whyNotClassName } from "../validation/class-name.ts";
