/** The gRPC client over TLS, against grpc-js with certificates of its own. */
import * as grpc from "@grpc/grpc-js";
import { generate } from "selfsigned";
import * as assert from "uvu/assert";
import { ClientError, connectRaw } from "../../runtime/client/index.ts";
import { createGrpcClient } from "../../runtime/grpc/client.ts";
import type { TlsOptions } from "../../runtime/grpc/client.ts";
import { suite } from "../harness.ts";
import { ECHO_SERVICE } from "./echo-service.ts";

const test = suite("runtime/grpc client: tls");
const { Unary } = ECHO_SERVICE.methods;

interface Identity {
  readonly cert: string;
  readonly private: string;
}

/** A certificate that vouches for itself, of a host that is called so. */
const identityOf = (host: string): Promise<Identity> =>
  generate([{ name: "commonName", value: host }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true },
      {
        name: "subjectAltName",
        altNames: [/^[\d.]+$/.test(host) ? { type: 7, ip: host } : { type: 2, value: host }],
      },
    ],
  });

const codec = {
  requestSerialize: (text: string): Buffer => Buffer.from(text),
  requestDeserialize: (bytes: Buffer): string => bytes.toString(),
  responseSerialize: (text: string): Buffer => Buffer.from(text),
  responseDeserialize: (bytes: Buffer): string => bytes.toString(),
};

/** Answers in upper case; `client`: only to whom has this certificate. */
async function withServer(
  identity: Identity,
  client: Identity | undefined,
  body: (address: string) => Promise<void>,
): Promise<void> {
  const server = new grpc.Server();
  server.addService(
    { unary: { path: Unary.path, requestStream: false, responseStream: false, ...codec } },
    {
      unary: (call: grpc.ServerUnaryCall<string, string>, answer: grpc.sendUnaryData<string>) =>
        answer(null, call.request.toUpperCase()),
    },
  );
  const pair = {
    private_key: Buffer.from(identity.private),
    cert_chain: Buffer.from(identity.cert),
  };
  const ca = client === undefined ? null : Buffer.from(client.cert);
  const credentials = grpc.ServerCredentials.createSsl(ca, [pair], client !== undefined);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  try {
    await body(`127.0.0.1:${port}`);
  } finally {
    server.forceShutdown();
  }
}

/** The answer to a call, or why there is none. */
async function ask(address: string, tls: TlsOptions | undefined): Promise<string> {
  const client = createGrpcClient(address, tls);
  const result = await client.unary(Unary, "hello", { timeoutMs: 5000 });
  client.close();
  return result.ok ? result.response : result.message;
}

test("a server is believed whose certificate is vouched for and names the address", async () => {
  const identity = await identityOf("127.0.0.1");
  await withServer(identity, undefined, async (address) => {
    assert.is(await ask(address, { ca: identity.cert }), "HELLO");
    assert.match(await ask(address, {}), /self-signed certificate/);
    assert.is.not(await ask(address, undefined), "HELLO", "it does not speak in clear");
  });
});

test("a certificate of another name is refused, unless that name is asked for", async () => {
  const identity = await identityOf("store.example");
  await withServer(identity, undefined, async (address) => {
    const { cert: ca } = identity;
    assert.match(await ask(address, { ca }), /IP: 127.0.0.1 is not in the cert's list/);
    assert.is(await ask(address, { ca, serverName: "store.example" }), "HELLO");
  });
});

test("a server that asks who calls is told", async () => {
  const [identity, own] = [await identityOf("127.0.0.1"), await identityOf("client")];
  await withServer(identity, own, async (address) => {
    const { cert: ca } = identity;
    assert.is.not(await ask(address, { ca }), "HELLO");
    assert.is(await ask(address, { ca, cert: own.cert, key: own.private }), "HELLO");
  });
});

test("an endpoint in clear is refused where TLS is asked for", () => {
  assert.throws(
    () => connectRaw(["http://127.0.0.1:2379"], { tls: {} }),
    (error: unknown) => error instanceof ClientError && error.reason === "misuse",
  );
  connectRaw(["https://127.0.0.1:2379"]).close();
});

test.run();
