/** Notices which models of a folder change. */
import { type FSWatcher, readdirSync, watch } from "node:fs";
import { join } from "node:path";

/** How long nothing has changed when a model is taken to be copied whole, in milliseconds. */
const QUIET = 500;

/** Folders of programs and models that are still being copied begin with a dot. */
const isModel = (name: string) => name !== "index.json" && !name.startsWith(".");

/**
 * From now on calls `changed` with the names of the models whose files have changed.
 *
 * Each folder is watched on its own: Node 20 has a recursive watch of its own on Linux, which follows files, and loses one
 * that another file was renamed to.
 */
export function watchModels(models: string, changed: (names: readonly string[]) => void): void {
  const folders = new Map<string, FSWatcher>();
  const touched = new Set<string>();
  let pending: NodeJS.Timeout | undefined;
  const touch = (name: string) => {
    touched.add(name);
    clearTimeout(pending);
    pending = setTimeout(() => {
      const names = [...touched];
      touched.clear();
      changed(names);
    }, QUIET);
  };
  // Such as a system that lets no more folders be watched: the labeler does without.
  const giveUp = ({ message }: Error) =>
    console.error(`Changes of ${models} are not seen until a restart: ${message}.`);

  const leave = (name: string) => {
    folders.get(name)?.close();
    folders.delete(name);
  };
  const enter = (name: string) => {
    leave(name);
    try {
      const watcher = watch(join(models, name), () => touch(name));
      folders.set(
        name,
        watcher.on("error", () => leave(name)),
      );
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "ENOTDIR") giveUp(error as Error); // it was removed again
    }
  };
  const notice = (_: unknown, name: string | null) => {
    if (name === null || !isModel(name)) return;
    enter(name); // a folder that takes the place of another has to be watched anew
    touch(name);
  };
  try {
    watch(models, notice).on("error", giveUp);
    for (const name of readdirSync(models)) if (isModel(name)) enter(name);
  } catch (error) {
    giveUp(error as Error);
  }
}
