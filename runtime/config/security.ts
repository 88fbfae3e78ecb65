/** The part of a configuration file that says by which certificates a node is known. */
import { X509Certificate, createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import type { NodeTls } from "../network/tls.ts";

/** What the file says: paths, of which all are given or none. */
export interface SecurityFile {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly allowedNames: readonly string[] | undefined;
}

/** `tls` is undefined where nothing is encrypted. */
export type Security =
  | { readonly ok: true; readonly tls: NodeTls | undefined }
  /** One line for people. */
  | { readonly ok: false; readonly detail: string };

/** Reads the files. `caKey` is how the key of the authority is called. */
export function readSecurity(
  { ca, cert, key, allowedNames = [] }: SecurityFile,
  caKey: string,
): Security {
  const given = [ca, cert, key].filter((path) => path !== undefined && path !== "");
  if (given.length === 0) {
    if (allowedNames.length === 0) return { ok: true, tls: undefined };
    return { ok: false, detail: "security.cert-allowed-cn is of no use without certificates" };
  }
  if (ca === undefined || cert === undefined || key === undefined || given.length < 3) {
    const detail = `security.${caKey}, security.cert-path and security.key-path go together`;
    return { ok: false, detail };
  }
  try {
    const tls = {
      ca: readFileSync(ca),
      cert: readFileSync(cert),
      key: readFileSync(key),
      allowedNames,
    };
    const certificate = new X509Certificate(tls.cert);
    if (!certificate.checkPrivateKey(createPrivateKey(tls.key))) {
      return { ok: false, detail: `${key} is not the key of the certificate in ${cert}` };
    }
    return { ok: true, tls };
  } catch (error) {
    return { ok: false, detail: `cannot read the certificates: ${(error as Error).message}` };
  }
}
