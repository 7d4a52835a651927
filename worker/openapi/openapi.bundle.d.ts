/** Types of the generated openapi.bundle.js (made of scripts/openapi/ by scripts/build/openapi-bundle.ts). */

/** The description of the interface, as JSON text. */
export const openapi: string;
/** The same as a page. */
export const docs: string;
/** The page's Content-Security-Policy. */
export const policy: string;
