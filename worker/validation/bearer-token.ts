/** What a bearer token may look like. */

/** RFC 6750, section 2.1: b64token. */
export const B64TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
