/** Types of the generated page.bundle.js (made of this folder by scripts/build/page-bundle.ts). */

/** The whole page. */
export const html: string;
/** Its Content-Security-Policy: what is in it may run, by its digest, and nothing else. */
export const policy: string;
/** A strong validator of it. */
export const etag: string;
