/** The permissions that a token may have. http/scopes.ts maps routes to scopes. */
export const SCOPES = ["label", "submit", "results", "admin"] as const;
export type Scope = (typeof SCOPES)[number];
