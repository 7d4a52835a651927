// Stands for @litertjs/wasm-utils, which would add a script to a page: ModuleFactory is there already.
export async function createWasmLib(Library) {
  return new Library(await globalThis.ModuleFactory());
}
