// Comes before a decoder (bundle.ts injects it): what it misses in workerd, and a watch over the memory it takes.

/** Memories of all wasm instances of this isolate, to see how far they have grown. */
export const memories = [];

const { Instance, instantiate } = WebAssembly;
const noted = (instance) => {
  memories.push(...Object.values(instance.exports).filter((value) => value instanceof WebAssembly.Memory));
  return instance;
};
WebAssembly.Instance = new Proxy(Instance, { construct: (target, args) => noted(new target(...args)) });
WebAssembly.instantiate = async (module, imports) => noted(await instantiate.call(WebAssembly, module, imports));

// Several return one, and workerd has none.
globalThis.ImageData ??= class ImageData {
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
};
