/** The Host header (worker/http/host.ts): its valid forms, and the names that cannot belong to a foreign page. */
import { describe, expect, it } from "vitest";
import { isPrivateHost } from "../../../worker/http/host.ts";
import { parseHost } from "../../../worker/validation/host-name.ts";

describe("Host", () => {
  it.each([
    ["labeler", "labeler"],
    ["LABELER.Example.Org:8787", "labeler.example.org"],
    ["labeler.example.org.", "labeler.example.org"],
    ["localhost.:80", "localhost"],
    ["edge_box:", "edge_box"],
    ["10.0.0.1:65535", "10.0.0.1"],
    ["[::1]:8787", "[::1]"],
    ["[FE80::1]", "[fe80::1]"],
  ])("%s is %s", (header, host) => {
    expect(parseHost(header)).toBe(host);
  });

  it.each([
    "x/healthz?",
    "x?y",
    "x#y",
    "x\\y",
    "u:p@x",
    "@x",
    "x@",
    "a, b",
    "a,b",
    "a b",
    "a\tb",
    "%6cocalhost",
    "x:99999",
    "x:8a",
    "x:1:2",
    "",
    ":80",
    ".",
    "..",
    "a..b",
    ".a",
    "[::1",
    "::1",
    "[x]",
    "[::1]x",
    "[1.2.3.4]",
    "*",
    "<script>",
  ])("%j is refused", (header) => {
    expect(parseHost(header)).toBeUndefined();
  });
});

describe("without a token", () => {
  it.each([
    "127.0.0.1",
    "192.168.1.5",
    "203.0.113.1",
    "[::1]",
    "[2001:db8::1]",
    "localhost",
    "x.localhost",
    "labeler",
    "edge_box",
    "box.local",
    "box.lan",
    "host.docker.internal",
    "box.home.arpa",
    "labeler.default.svc.cluster.local",
  ])("%s is answered", (host) => {
    expect(isPrivateHost(host)).toBe(true);
  });

  it.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1.nip.io",
    "evil.locals",
    "evil.com",
    "0x7f.1",
    "127.1",
    "1.2.3.256",
    "local.com",
    "home.arpa.com",
  ])("%s is not", (host) => {
    expect(isPrivateHost(host)).toBe(false);
  });
});
