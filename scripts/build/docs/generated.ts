/** What of the documentation is generated, and where it stands. */
import { npmScriptTable } from "./npm-scripts.ts";
import { operatorTable } from "./operators.ts";

interface Generated {
  /** From the repository's root. */
  readonly path: string;
  /** Of the place in the document; see table.ts. */
  readonly name: string;
  make(): string;
}

export const GENERATED: readonly Generated[] = [
  { path: "docs/reference/models.md", name: "operators", make: operatorTable },
  { path: "scripts/README.md", name: "npm scripts", make: npmScriptTable },
];
