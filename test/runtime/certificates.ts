/** Certificates for nodes and clients of one test, in files as an operator has them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";

export interface Certificates {
  readonly directory: string;
  /** What the nodes' files say; `security.ca-path` and `security.cacert-path` are one file. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  remove(): void;
}

/**
 * Writes `ca.pem`, `node.pem` and `node-key.pem` of a node at 127.0.0.1, and `client.pem` and
 * `client-key.pem` of a client called `client`. Each vouches for itself, and `ca.pem` holds both.
 */
export async function makeCertificates(client = "client"): Promise<Certificates> {
  const directory = mkdtempSync(join(tmpdir(), "rutile-tls-"));
  const file = (name: string): string => join(directory, name);
  const node = await identityOf("127.0.0.1");
  const other = await identityOf(client);
  writeFileSync(file("ca.pem"), `${node.cert}\n${other.cert}`);
  writeFileSync(file("node.pem"), node.cert);
  writeFileSync(file("node-key.pem"), node.private);
  writeFileSync(file("client.pem"), other.cert);
  writeFileSync(file("client-key.pem"), other.private);
  return {
    directory,
    ca: file("ca.pem"),
    cert: file("node.pem"),
    key: file("node-key.pem"),
    remove: () => rmSync(directory, { recursive: true }),
  };
}

const identityOf = (name: string): Promise<{ cert: string; private: string }> =>
  generate([{ name: "commonName", value: name }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] },
    ],
  });
