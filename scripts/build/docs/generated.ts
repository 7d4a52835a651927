/** Lists the generated parts of the documentation, and their places. */
import { npmScriptTable } from "./npm-scripts.ts";
import { operatorTable } from "./operators.ts";

interface Generated {
  /** The document's path from the repository's root. */
  readonly path: string;
  /** The name of the place in the document; see table.ts. */
  readonly name: string;
  make(): string;
}

export const GENERATED: readonly Generated[] = [
  { path: "docs/reference/models.md", name: "operators", make: operatorTable },
  { path: "scripts/README.md", name: "npm scripts", make: npmScriptTable },
];
