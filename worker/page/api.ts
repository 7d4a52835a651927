/** The page's calls of the labeler that served it. */

export interface Label {
  readonly confidence: number;
  readonly label: string;
}

export interface Model {
  readonly name: string;
  readonly default: boolean;
  /** The model that it derives from, if it does. */
  readonly base?: string;
  readonly input?: { readonly width: number; readonly height: number };
  readonly precisions?: readonly string[];
  readonly error?: string;
}

/** A step of the work, as the header Server-Timing has it; milliseconds. */
export interface Step {
  readonly name: string;
  readonly ms: number;
}

/** The labels of the image, or of a region of it. */
export interface Part {
  /** The name of the region; undefined for the image. */
  readonly name?: string;
  readonly labels: readonly Label[];
}

export interface Answer {
  readonly parts: readonly Part[];
  /** How much of the picture its file lacks, 0..1. */
  readonly missing: number;
  /** The number of damaged places in its file. */
  readonly warnings: number;
  /** Whether the labels come from the result cache, without an inference. */
  readonly cached: boolean;
  readonly steps: readonly Step[];
  /** From sending to the answer, milliseconds. */
  readonly ms: number;
}

export interface StoredResult {
  readonly id: string;
  readonly time: string;
  readonly device: string | null;
  readonly label?: string | null;
  readonly confidence?: number | null;
  /** The labels of each region, where the image was not labelled as one. */
  readonly regions?: Readonly<Record<string, readonly Label[]>>;
  readonly error?: string | null;
}

/** The labeler's answer was no. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

const TOKEN = "token";
/** A busy labeler says when to come again; it is asked this often. */
const ATTEMPTS = 4;

export const tokenOf = (): string | null => sessionStorage.getItem(TOKEN);
export const setToken = (token: string): void => sessionStorage.setItem(TOKEN, token);

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const headers = new Headers(init.headers);
    const token = tokenOf();
    if (token !== null) headers.set("authorization", `Bearer ${token}`);
    let response: Response;
    try {
      response = await fetch(path, { ...init, headers, cache: "no-store" });
    } catch {
      throw new Refused("The labeler cannot be reached. Check that it is running.", 0);
    }
    if (response.ok) return response;
    const later = Number(response.headers.get("retry-after"));
    if ((response.status === 503 || response.status === 429) && later > 0 && attempt < ATTEMPTS) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(later, 20) * 1000));
      continue;
    }
    const problem: { detail?: string; title?: string } = await response.json().catch(() => ({}));
    throw new Refused(problem.detail ?? problem.title ?? `Status ${response.status}`, response.status);
  }
}

/** @throws Refused with what is wrong, as all of these do. */
export async function models(): Promise<Model[]> {
  return (await call("/models")).json();
}

const stepsOf = (timing: string | null): Step[] =>
  [...(timing ?? "").matchAll(/([\w-]+)(?:;[^,]*?)?;dur=([\d.]+)/g)].map(([, name = "", ms]) => ({
    name,
    ms: Number(ms),
  }));

export async function label(image: Blob, query: URLSearchParams): Promise<Answer> {
  const start = performance.now();
  const response = await call(`/label?${query}`, { method: "POST", body: image });
  const found: Label[] | { regions: Record<string, Label[]> } = await response.json();
  return {
    parts: Array.isArray(found)
      ? [{ labels: found }]
      : Object.entries(found.regions).map(([name, labels]) => ({ name, labels })),
    missing: Number(response.headers.get("x-image-missing") ?? 0),
    warnings: Number(response.headers.get("x-image-warnings") ?? 0),
    cached: /;\s*hit\b/.test(response.headers.get("cache-status") ?? ""),
    steps: stepsOf(response.headers.get("server-timing")),
    ms: performance.now() - start,
  };
}

/** @returns A picture of where the network saw the top-1 label. */
export async function explain(image: Blob, query: URLSearchParams): Promise<Blob> {
  const wanted = new URLSearchParams(query);
  wanted.set("explain", "1");
  return (await call(`/label?${wanted}`, { method: "POST", body: image, headers: { accept: "image/png" } })).blob();
}

/** The newest results first. */
export async function storedResults(limit: number): Promise<StoredResult[]> {
  return (await call(`/results?order=newest&limit=${limit}`)).json();
}
