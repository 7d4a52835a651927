/** GET /models: what is installed. */
import { Hono } from "hono";
import { catalogueOf, sourceOf } from "../http/label-request.ts";
import { requires } from "../http/scopes.ts";
import { type AppEnv, settingsOf } from "../http/settings.ts";
import type { IndexEntry } from "../model/index-entry.ts";

/** The index without what only the Worker needs. */
const shown = ({ files: _, version: __, ...entry }: IndexEntry, defaultModel: string) => ({
  ...entry,
  default: entry.name === defaultModel,
});

export const models = new Hono<AppEnv>()
  .get("/", requires("label"), async (c) => {
    const { DEFAULT_MODEL } = settingsOf(c.env);
    const entries = await catalogueOf(c).list(sourceOf(c));
    return c.json(entries.map((entry) => shown(entry, DEFAULT_MODEL)));
  })
  .get("/:name", requires("label"), async (c) => {
    const { DEFAULT_MODEL } = settingsOf(c.env);
    return c.json(shown(await catalogueOf(c).describe(c.req.param("name"), sourceOf(c)), DEFAULT_MODEL));
  });
