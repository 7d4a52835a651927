/** Files for tests inside workerd, which has no file system: fixtures of the repository, and the larger reference data. */
import { env } from "cloudflare:workers";

interface TestEnv {
  HAS_REFERENCE: boolean;
  BENCHMARK: boolean;
  FIXTURES: Fetcher;
  REFERENCE: Fetcher;
  MODELS: Fetcher;
}

const { HAS_REFERENCE, BENCHMARK, FIXTURES, REFERENCE, MODELS } = env as unknown as TestEnv;

/** Whether LABELER_REFERENCE names a folder; use with `it.runIf(hasReference)`. */
export const hasReference = HAS_REFERENCE;

/** Whether LABELER_BENCHMARK is set: what takes long and asserts little runs then alone. */
export const benchmarking = BENCHMARK && HAS_REFERENCE;

async function read(service: Fetcher, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await service.fetch(`http://files/${encodeURI(path)}`);
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The bytes of a file in test/fixtures. */
export const fixture = (path: string) => read(FIXTURES, path);

/** The bytes of a file in the folder that LABELER_REFERENCE names. */
export const reference = (path: string) => read(REFERENCE, path);

/** The bytes of a file in model-assets. */
export const modelFile = (path: string) => read(MODELS, path);

/** A JSON file in test/fixtures. */
export const fixtureJson = async <T>(path: string): Promise<T> =>
  JSON.parse(new TextDecoder().decode(await fixture(path))) as T;

/** A JSON file in the reference folder. */
export const referenceJson = async <T>(path: string): Promise<T> =>
  JSON.parse(new TextDecoder().decode(await reference(path))) as T;
