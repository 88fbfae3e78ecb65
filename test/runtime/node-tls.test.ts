/** Nodes with certificates: nobody is served in the clear, or without a certificate. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { ClientError, connectTxn } from "../../runtime/client/index.ts";
import type { TlsOptions } from "../../runtime/client/index.ts";
import { pdSettings } from "../../runtime/config/pd.ts";
import { tikvSettings } from "../../runtime/config/tikv.ts";
import { suite } from "../harness.ts";
import { makeCertificates } from "./certificates.ts";
import type { Certificates } from "./certificates.ts";
import { startSmallCluster } from "./small-cluster.ts";
import type { SmallPlan } from "./small-cluster.ts";

const test = suite("runtime/node tls");

function planOf({ ca, cert, key }: Certificates, names: readonly string[] = []): SmallPlan {
  const own = {
    "security.cert-path": cert,
    "security.key-path": key,
    "security.cert-allowed-cn": names,
  };
  return {
    pd: { ...own, "security.cacert-path": ca },
    tikv: { ...own, "security.ca-path": ca },
  };
}

function tlsOf({ directory }: Certificates, who: "client" | "nobody"): TlsOptions {
  const read = (name: string): Buffer => readFileSync(join(directory, name));
  const ca = read("ca.pem");
  if (who === "nobody") return { ca };
  return { ca, cert: read("client.pem"), key: read("client-key.pem") };
}

/** What a transaction comes to, within two seconds. */
async function write(pd: string, tls: TlsOptions | undefined): Promise<string> {
  const { client, close } = connectTxn([pd], tls === undefined ? {} : { tls });
  try {
    await client.transaction((t) => t.put("k", "v"), { timeoutMs: 2000 });
    const value = await (await client.snapshot()).get("k");
    return new TextDecoder().decode(value);
  } catch (error) {
    return error instanceof ClientError ? error.reason : String(error);
  } finally {
    close();
  }
}

/** Until it is served, for as long as a cluster needs to come up. */
async function writeAtLast(pd: string, tls: TlsOptions): Promise<string> {
  for (let tries = 0; ; tries++) {
    const said = await write(pd, tls);
    if (said === "v" || tries >= 10) return said;
  }
}

test("three members, a store and a client talk over TLS, and only so", async () => {
  const certificates = await makeCertificates();
  const cluster = await startSmallCluster({ ...planOf(certificates), members: 3 });
  try {
    assert.is(await writeAtLast(cluster.pd, tlsOf(certificates, "client")), "v");
    assert.is(await write(cluster.pd, tlsOf(certificates, "nobody")), "timeout");
    assert.is(await write(cluster.pd, undefined), "timeout");
  } finally {
    await cluster.stop();
    certificates.remove();
  }
});

test("of those who are vouched for only the names that are allowed are let in", async () => {
  const certificates = await makeCertificates("stranger");
  const cluster = await startSmallCluster(planOf(certificates, ["127.0.0.1", "client"]));
  try {
    assert.is(await write(cluster.pd, tlsOf(certificates, "client")), "timeout");
    const { ca, cert, key } = certificates;
    const node = { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) };
    assert.is(await writeAtLast(cluster.pd, node), "v");
  } finally {
    await cluster.stop();
    certificates.remove();
  }
});

test("certificates that do not belong together are refused in words", async () => {
  const certificates = await makeCertificates();
  const { ca, cert, key, directory } = certificates;
  const store = (file: Parameters<typeof tikvSettings>[1]): string => {
    const made = tikvSettings({}, file, 1);
    return made.ok ? "" : made.detail.replaceAll(directory, "");
  };
  const whole = { "security.ca-path": ca, "security.cert-path": cert, "security.key-path": key };
  assert.is(store(whole), "");
  assert.is(
    store({ "security.ca-path": ca, "security.cert-path": cert }),
    "security.ca-path, security.cert-path and security.key-path go together",
  );
  assert.is(
    store({ ...whole, "security.key-path": join(directory, "client-key.pem") }),
    "/client-key.pem is not the key of the certificate in /node.pem",
  );
  assert.match(
    store({ ...whole, "security.cert-path": join(directory, "none.pem") }),
    /^cannot read the certificates: ENOENT/,
  );
  assert.is(
    store({ "security.cert-allowed-cn": ["client"] }),
    "security.cert-allowed-cn is of no use without certificates",
  );
  assert.is(
    store({ ...whole, "pd.endpoints": ["http://127.0.0.1:2379"] }),
    "--pd-endpoints names http://127.0.0.1:2379: every connection is encrypted",
  );
  assert.is(
    store({ "pd.endpoints": ["https://127.0.0.1:2379"] }),
    "--pd-endpoints names https://127.0.0.1:2379: no connection is encrypted",
  );
  const pd = pdSettings(
    { clientUrls: ["http://127.0.0.1:2379"] },
    { ...whole, "security.cacert-path": ca },
    { seed: 1, clusterIdSeed: 1n },
  );
  assert.match(pd.ok ? "" : pd.detail, "--client-urls must be a URL as https://host:port");
  certificates.remove();
});

test.run();
