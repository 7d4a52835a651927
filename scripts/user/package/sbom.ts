/**
 * Writes the bill of materials of a package in CycloneDX 1.6: the npm packages that its programs contain, workerd with what
 * is in it, codecs.wasm with its libraries, and the models. It does not contain a time, so that a package is reproducible.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ModelIndex } from "../../../worker/model/index-entry.ts";
import { PRODUCT_VERSION } from "../../build/version.ts";
import { EMBEDDED } from "./embedded.ts";
import type { NpmPackage } from "./npm-packages.ts";
import { PARTS } from "./parts.ts";
import { NODE_VERSION } from "./platforms.ts";

interface Component {
  readonly type: "application" | "library" | "machine-learning-model" | "platform";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version?: string;
  readonly scope?: "required";
  readonly description?: string;
  readonly hashes?: readonly { readonly alg: "SHA-256" | "SHA-512"; readonly content: string }[];
  readonly licenses?: readonly object[];
  readonly copyright?: string;
  readonly purl?: string;
  readonly externalReferences?: readonly { readonly type: "vcs" | "website"; readonly url: string }[];
  readonly components?: readonly Component[];
}

/** A licence: an SPDX expression, or the name of one that SPDX does not list as such. */
const licences = (text: string) =>
  /^[\w.-]+( (AND|OR|WITH) [\w.-]+)*$/.test(text) ? [{ expression: text }] : [{ license: { name: text } }];

const purlOf = (name: string, version: string) => `pkg:npm/${name.replace("@", "%40")}@${version}`;

/** The libraries that are compiled into a program. */
const embeddedIn = (program: string): Component[] =>
  (EMBEDDED.get(program) ?? []).map(({ name, version, licence, copyright, url }) => ({
    type: "library",
    "bom-ref": `${program}#${name}`,
    name,
    ...(version !== undefined && { version }),
    licenses: licences(licence),
    copyright,
    externalReferences: [{ type: "website", url }],
  }));

function fromNpm({ name, version, licence, integrity }: NpmPackage): Component {
  const inside = embeddedIn(name);
  return {
    type: "library",
    "bom-ref": purlOf(name, version),
    name,
    version,
    scope: "required",
    ...(integrity?.startsWith("sha512-") && {
      hashes: [{ alg: "SHA-512", content: Buffer.from(integrity.slice(7), "base64").toString("hex") }],
    }),
    ...(licence !== "" && { licenses: licences(licence) }),
    purl: purlOf(name, version),
    ...(inside.length > 0 && { components: inside }),
  };
}

/** The models with networks of their own. */
function modelsIn(folder: string): Component[] {
  const { models }: ModelIndex = JSON.parse(readFileSync(join(folder, "index.json"), "utf8"));
  return models
    .filter(({ base }) => base === undefined)
    .map(({ name, sha256, licence, description }) => ({
      type: "machine-learning-model",
      "bom-ref": `model:${name}`,
      name,
      ...(description !== undefined && { description }),
      hashes: [{ alg: "SHA-256", content: sha256 }],
      ...(licence !== undefined && { licenses: licences(licence) }),
    }));
}

const node: Component = {
  type: "platform",
  "bom-ref": `pkg:generic/node@${NODE_VERSION}`,
  name: "Node.js",
  version: NODE_VERSION,
  purl: `pkg:generic/node@${NODE_VERSION}`,
  licenses: licences("MIT"),
};

/** A UUID that stands for the contents. */
function serialNumber(contents: string): string {
  const hex = createHash("sha256").update(contents).digest("hex");
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return `urn:uuid:${parts.join("-")}`;
}

export interface SbomOptions {
  /** The packages from npm, workerd among them. */
  readonly packages: readonly NpmPackage[];
  readonly withNode?: boolean;
}

/** Writes sbom.cdx.json into the folder of a package. */
export function writeSbom(folder: string, { packages, withNode = false }: SbomOptions): void {
  const product = purlOf("edge-labeler", PRODUCT_VERSION);
  const codecs: Component = {
    type: "library",
    "bom-ref": "codecs.wasm",
    name: "codecs.wasm",
    version: PRODUCT_VERSION,
    licenses: licences("Apache-2.0"),
    components: embeddedIn("edge-labeler codecs"),
  };
  const components = [
    ...packages.map(fromNpm),
    codecs,
    ...modelsIn(join(folder, PARTS.models)),
    ...(withNode ? [node] : []),
  ];
  const bom = {
    metadata: {
      component: {
        type: "application",
        "bom-ref": product,
        name: "edge-labeler",
        version: PRODUCT_VERSION,
        licenses: licences("Apache-2.0"),
        purl: product,
      } satisfies Component,
    },
    components,
    dependencies: [{ ref: product, dependsOn: components.map((component) => component["bom-ref"]) }],
  };
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: serialNumber(JSON.stringify(bom)),
    version: 1,
    ...bom,
  };
  writeFileSync(join(folder, PARTS.sbom), `${JSON.stringify(document, undefined, 2)}\n`);
}
