// The Worker around a decoder: keeps a file that is sent to it and decodes it as often as it is asked to.

import { memories } from "./prepare.js";

const mean = ({ data, channels, alpha }) => {
  let [sum, count] = [0, 0];
  for (let i = 0; i < data.length; i += 1) {
    if (i % channels === alpha) continue;
    sum += data[i];
    count += 1;
  }
  return sum / count;
};

let file = new Uint8Array();

const routes = {
  /** Takes the file. */
  async "/file"(request) {
    file = new Uint8Array(await request.arrayBuffer());
    return {};
  },
  /** The first decode: what it gives, and the memory that it took. */
  async "/first"(_request, decode) {
    const { width, height, data, channels, alpha } = await decode(file);
    return {
      width,
      height,
      // Palette indices have no mean that says anything.
      mean: channels === 1 ? undefined : mean({ data, channels, alpha }),
      outputBytes: data.byteLength,
      wasmBytes: memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0),
    };
  },
  /** Milliseconds of one decode, on average of as many as are asked for. */
  async "/time"(request, decode) {
    const repeat = Number(new URL(request.url).searchParams.get("repeat"));
    const start = performance.now();
    for (let i = 0; i < repeat; i += 1) await decode(file);
    return { ms: (performance.now() - start) / repeat };
  },
};

/**
 * @param load Makes the decoder ready and gives its function: from a file's bytes to `{ width, height, data, channels,
 * alpha }`, where `channels` is the number of bytes a pixel and `alpha` says which of them is no colour (-1: none).
 */
export const serve = (load) => ({
  async fetch(request) {
    try {
      return Response.json(await routes[new URL(request.url).pathname](request, await load()));
    } catch (error) {
      return Response.json({ error: String(error?.message ?? error) });
    }
  },
});

/** The usual output. */
export const rgba = ({ width, height, data }) => ({ width, height, data, channels: 4, alpha: 3 });

/** For a decoder that has to be loaded once. */
export const once = (load) => {
  let loaded;
  return () => {
    loaded ??= load();
    return loaded;
  };
};

/** Emscripten's option `instantiateWasm` for a module that is compiled. */
export const instantiating = (module) => (imports, done) => {
  const instance = new WebAssembly.Instance(module, imports);
  done(instance);
  return instance.exports;
};
