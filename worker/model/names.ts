/** The valid names of models, their files and their classes. Names of classes are text and never used as a path. */

/** A model's name is used unchanged in URLs and query strings, and as the name of its folder. */
export const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A file in a model's own folder: the pattern excludes paths and hidden files. */
export const FILE_NAME = /^[\w-][\w.-]{0,63}$/;

export { UNKNOWN, whyNotClassName } from "../validation/class-name.ts";
