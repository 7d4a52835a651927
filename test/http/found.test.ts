/**
 * Files that were once reported as refused, mislabelled or silently skipped: each gives the correct result through
 * every protocol that it belongs to. The files are part of the reference data.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { type Label, referenceFolder } from "./client.ts";

const MODEL = "mobilenet_v1_1.0_224";
const PEACOCK = "85:peacock";
const root = join(referenceFolder ?? "", "found");
const read = (path: string) => new Uint8Array(readFileSync(join(root, path)));

/** Older reference data do not have them. */
const missing = referenceFolder !== undefined && !existsSync(root);
if (missing && process.env.CI) throw new Error(`${root} is missing.`);
if (missing) console.warn(`Files that were found in use are not tested: ${root} is missing.`);

let url: string;

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  /** The top-1 label, or undefined for an error. */
  readonly label: string | undefined;
  readonly confidence: number | undefined;
  /** The detail of an error, or what eKuiper's answer has for one. */
  readonly error: string | undefined;
}

type Ask = (body: Uint8Array<ArrayBuffer>, headers?: Record<string, string>) => Promise<Answered>;

const post = (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
  fetch(`${url}${path}`, { method: "POST", body, headers });

/** Reads what a protocol answers. @param shape Of the JSON of a success. */
async function answered(
  response: Response,
  shape: (json: never) => { label?: string; confidence?: number; error?: string },
): Promise<Answered> {
  const { status, headers } = response;
  const json = await response.json();
  const { label, confidence, error } = response.ok ? shape(json as never) : { error: json.detail ?? json.error };
  return { status, headers, label, confidence, error };
}

const first = ([best]: (Label & { score?: number })[]) => ({
  label: best?.label,
  confidence: best?.confidence ?? best?.score,
});

/** Ways for a body that is an image, or carries one, as it stands. */
const BODIES: Readonly<Record<string, Ask>> = {
  "POST /label": async (body, headers) => answered(await post("/label?precision=exact", body, headers), first),
  "POST /ekuiper/labelImage": async (body, headers) =>
    answered(await post("/ekuiper/labelImage?precision=exact", body, headers), (reply: { label: string }) => reply),
  "POST /models/NAME": async (body, headers) =>
    answered(await post(`/models/${MODEL}?precision=exact`, body, headers), first),
};

/** Ways for an image that something else is written around. */
const IMAGES: Readonly<Record<string, Ask>> = {
  ...BODIES,
  curl: async (body) => {
    const options = ["--silent", "--data-binary", "@-", "--write-out", "\n%{http_code}"];
    const out = execFileSync("curl", [...options, `${url}/label?precision=exact`], { input: body, encoding: "utf8" });
    const end = out.lastIndexOf("\n");
    return answered(new Response(out.slice(0, end), { status: Number(out.slice(end + 1)) }), first);
  },
  "a form": async (body) => {
    const form = new FormData();
    form.append("image", new Blob([body]), "image");
    return answered(await post("/label?precision=exact", form), first);
  },
  JSON: async (body) =>
    answered(
      await post("/label?precision=exact", JSON.stringify({ image: Buffer.from(body).toString("base64") })),
      first,
    ),
  "POST /v2/models/NAME/infer": async (body) => {
    const data = [Buffer.from(body).toString("base64")];
    const inputs = [{ name: "image", datatype: "BYTES", shape: [1], data }];
    const response = await post(`/v2/models/${MODEL}/infer?precision=exact`, JSON.stringify({ inputs }));
    return answered(response, ({ outputs }: { outputs: { name: string; data: (string | number)[] }[] }) => {
      const output = (name: string) => outputs.find((one) => one.name === name)?.data[0];
      return { label: String(output("labels")), confidence: Number(output("confidences")) };
    });
  },
};

describe.runIf(referenceFolder !== undefined && !missing)("found in use", () => {
  let labeler: RunningLabeler;
  beforeAll(async () => {
    labeler = await startWorkerd();
    url = labeler.url;
  });
  afterAll(() => labeler?.stop());

  describe.each(Object.entries(IMAGES))("%s", (protocol, ask) => {
    /** What eKuiper asks is answered with a 200, whatever the image. */
    const inRule = protocol === "POST /ekuiper/labelImage";
    const withHeaders = protocol !== "curl";

    it("labels a photo that is whole, and finds no fault with it", async () => {
      const { status, headers, label, confidence, error } = await ask(read("images/base.jpg"));
      expect({ status, label, error }).toEqual({ status: 200, label: PEACOCK, error: undefined });
      expect(confidence).toBeCloseTo(0.917, 3);
      for (const name of ["x-image-missing", "x-image-warnings", "x-image-scale"]) expect(headers.get(name)).toBeNull();
    });

    it.each(["prog_cut_03pct.jpg", "prog_cut_10pct.jpg", "early_eoi_30pct.jpg", "t_dropped_packet.jpg"])(
      "says that %s is not whole or is damaged, beside a label",
      async (name) => {
        const { status, headers, label, error } = await ask(read(`images/${name}`));
        expect(status).toBe(200);
        expect(label).toMatch(/^\d+:/);
        if (inRule) expect(error).toMatch(/ends early|is damaged/);
        else if (withHeaders) {
          const notes = [headers.get("x-image-missing"), headers.get("x-image-warnings")];
          expect(notes.some((note) => Number(note) > 0)).toBe(true);
        }
      },
    );

    it.each([
      "r15_dnl.jpg",
      "issue_2811.gif",
      "its_579294d4.png",
      "its_b583e48e.png",
      "x_xmponly6.jpg",
      "xmp_tags_orientation_exiftool.png",
    ])("labels %s, which is valid", async (name) => {
      const { status, label, error } = await ask(read(`images/${name}`));
      expect({ status, error }).toEqual({ status: 200, error: undefined });
      expect(label).toMatch(/^\d+:/);
    });

    it.each(["r05_multipart_part.bin", "r05b_crlf_front.bin"])("labels the JPEG in %s", async (name) => {
      const { status, label } = await ask(read(`images/${name}`));
      expect({ status, label }).toEqual({ status: 200, label: PEACOCK });
    });

    it("refuses Apple's CgBI and a PNG that was sent as text by their names", async () => {
      const cgbi = await ask(read("images/r21_cgbi.png"));
      expect(cgbi.error).toMatch(/CgBI/);
      expect(cgbi.status).toBe(inRule ? 200 : 415);
      const text = await ask(read("images/r22k_crlf_mangled.png"));
      expect(text.error).toMatch(/sent as text/);
      expect(text.status).toBe(inRule ? 200 : 422);
    });

    it("has the confidence of the full scale with exact", async () => {
      const { label, confidence } = await ask(read("images/scale_camera.jpg"));
      expect(label).toBe("923:menu");
      // Of Pillow 12.2 and TensorFlow Lite; at half of its size it would be 0.636.
      expect(confidence).toBeCloseTo(0.539031, 5);
    });
  });

  it("turns what only XMP says is turned", async () => {
    const path = "images/x_xmponly6.jpg";
    const [apply, ignore] = await Promise.all(
      ["apply", "ignore"].map(async (exif) => (await post(`/label?precision=exact&exif=${exif}`, read(path))).json()),
    );
    expect(apply).not.toEqual(ignore);
  });

  it.each(Object.keys(BODIES))("%s labels what eKuiper's sink, base64 and gzip make of it", async (path) => {
    const ask = BODIES[path] as Ask;
    const peacock = { status: 200, label: PEACOCK };
    if (path !== "POST /models/NAME") {
      const json = { "content-type": "application/json" };
      expect(await ask(read("clients/ek_self.json"), json)).toMatchObject(peacock);
      expect(await ask(read("clients/x_bom.json"), json)).toMatchObject(peacock);
    }
    expect(await ask(read("clients/r71b_base64_1line.txt"), { "content-type": "text/plain" })).toMatchObject(peacock);
    expect(await ask(read("clients/r70_base.jpg.gz"), { "content-encoding": "gzip" })).toMatchObject(peacock);
  });

  it("eKuiper's list of one record is the record on its routes, and a list on /label", async () => {
    const json = { "content-type": "application/json" };
    const row = await post("/ekuiper/labelImage", read("clients/ek_image_arr.json"), json);
    expect(await row.json()).toMatchObject({ label: PEACOCK });
    const list = await post("/label", read("clients/ek_image_arr.json"), json);
    expect(await list.json()).toMatchObject([{ labels: [{ label: PEACOCK }, {}, {}, {}, {}] }]);
    const stored = await post("/ekuiper/sink?id=found", read("clients/ek_image_arr.json"), json);
    expect(stored.status).toBe(204);
    expect(await (await fetch(`${url}/results/found`)).json()).toMatchObject({ label: PEACOCK });
  });

  it(".NET's form is labelled on every route that takes one", async () => {
    const type = 'multipart/form-data; boundary="4b39ed14-752b-480a-9846-fc0019132d15"';
    const body = read("clients/dotnet_multipart.body");
    for (const path of ["POST /label", "POST /ekuiper/labelImage"]) {
      const ask = BODIES[path] as Ask;
      expect(await ask(body, { "content-type": type }), path).toMatchObject({ status: 200, label: PEACOCK });
    }
    expect((await post("/ekuiper/sink?id=dotnet", body, { "content-type": type })).status).toBe(204);
  });

  it("what curl -d sends is refused with the name of --data-binary", async () => {
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const { status, error } = await (BODIES["POST /label"] as Ask)(read("clients/curl_d_stripped.jpg"), form);
    expect(status).toBe(400);
    expect(error).toMatch(/--data-binary/);
  });
});
