/** The schema of a string in JSON that may be long, as an image in base64 is. */
import * as z from "zod/mini";
import { LongText, type Text } from "./long-text.ts";

export const isText = (value: unknown): value is Text => typeof value === "string" || value instanceof LongText;

/** Takes a string, and what readJson() makes of a long one. */
export const text = z.custom<Text>(isText, { error: "must be a string" });
// The description of the interface is made of the schemas.
text.register(z.globalRegistry, { type: "string" });
