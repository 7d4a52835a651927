/** What a token may be allowed to do. http/scopes.ts says which route needs which scope. */
export const SCOPES = ["label", "submit", "results", "admin"] as const;
export type Scope = (typeof SCOPES)[number];
