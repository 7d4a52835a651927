/**
 * Certificates as an organisation has them: an authority of its own, an intermediate one, and a server on 127.0.0.1.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Certificates {
  /** The authority's, which clients have to trust. */
  readonly root: string;
  /** The server's and the intermediate authority's, as a server sends them. */
  readonly chain: string;
  /** The server's alone, which a client cannot follow to the root. */
  readonly server: string;
  readonly key: string;
}

/** Writes the files into the folder with openssl. @returns Their paths. */
export function makeCertificates(folder: string): Certificates {
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...key,
    "-days",
    "2",
    "-keyout",
    file("root.key"),
    "-out",
    file("root.pem"),
    "-subj",
    "/CN=root",
  );
  const sign = (name: string, signer: string, extensions: string) => {
    writeFileSync(file(`${name}.ext`), extensions);
    openssl("req", ...key, "-keyout", file(`${name}.key`), "-out", file(`${name}.csr`), "-subj", `/CN=${name}`);
    const by = ["-CA", file(`${signer}.pem`), "-CAkey", file(`${signer}.key`), "-CAcreateserial"];
    const out = ["-days", "2", "-extfile", file(`${name}.ext`), "-out", file(`${name}.pem`)];
    openssl("x509", "-req", "-in", file(`${name}.csr`), ...by, ...out);
  };
  sign("intermediate", "root", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n");
  sign("server", "intermediate", "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  const [server, intermediate] = ["server.pem", "intermediate.pem"].map((name) => readFileSync(file(name), "utf8"));
  writeFileSync(file("chain.pem"), `${server}${intermediate}`);
  return { root: file("root.pem"), chain: file("chain.pem"), server: file("server.pem"), key: file("server.key") };
}
