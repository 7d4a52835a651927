/** A folder of models in memory, with an index whose digests are those of its files. */
import { vi } from "vitest";
import type { ModelSource } from "../../../worker/model/catalogue.ts";
import type { IndexEntry } from "../../../worker/model/index-entry.ts";
import { sha256 } from "../../../worker/runtime/digest.ts";

export const encode = (text: string) => new Uint8Array(new TextEncoder().encode(text));

export type Files = Record<string, Uint8Array<ArrayBuffer>>;

type Described = Pick<IndexEntry, "name"> & Partial<IndexEntry>;

export class ModelFolder {
  readonly files: Files;
  readonly read = vi.fn(async (path: string): Promise<Uint8Array<ArrayBuffer> | undefined> => this.files[path]);
  readonly keepAlive = vi.fn((work: Promise<unknown>) => void work);
  readonly source: ModelSource = { read: (path) => this.read(path), keepAlive: this.keepAlive };

  /** @param models Their files are those of their folders, and of the folder of their base. */
  static async of(files: Files, models: readonly Described[]): Promise<ModelFolder> {
    const folder = new ModelFolder(files);
    await folder.index(models);
    return folder;
  }

  private constructor(files: Files) {
    this.files = { ...files };
  }

  /** Writes the index anew, of the files as they are now. */
  async index(models: readonly Described[]): Promise<void> {
    const entries: IndexEntry[] = [];
    for (const model of models) entries.push({ ...(await this.#entry(model)), ...model });
    const withBases = entries.map((entry) => {
      const baseVersion = entries.find(({ name }) => name === entry.base)?.version;
      return { ...entry, ...(baseVersion !== undefined && { baseVersion, version: `${entry.version}${baseVersion}` }) };
    });
    this.files["index.json"] = encode(JSON.stringify({ models: withBases }));
  }

  async #entry({ name, base }: Described): Promise<IndexEntry> {
    const own = (path: string) => path.startsWith(`${name}/`) || (base !== undefined && path.startsWith(`${base}/`));
    const paths = Object.keys(this.files).filter(own);
    const digests = await Promise.all(paths.map(async (path) => [path, await sha256(this.files[path])] as const));
    const files = Object.fromEntries(digests);
    const bytes = this.files[`${base ?? name}/model.tflite`]?.length ?? 0;
    return { name, files, bytes, sha256: "", version: await sha256(encode(JSON.stringify(files))) };
  }

  /** How often a file was read. */
  reads(path: string): number {
    return this.read.mock.calls.filter(([read]) => read === path).length;
  }
}
