/** GET /models: what is installed. */
import { Hono } from "hono";
import type { AppEnv } from "../http/app-env.ts";
import { catalogueOf, sourceOf } from "../http/labeler.ts";
import { requires } from "../http/scopes.ts";
import type { IndexEntry } from "../model/index-entry.ts";
import { settingsOf } from "../settings/settings.ts";

/** The index without what only the Worker needs. */
const shown = ({ files: _, version: __, baseVersion: ___, ...entry }: IndexEntry, defaultModel: string) => ({
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
