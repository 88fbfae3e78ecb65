/** The gRPC layer against an independent client, grpc-js. */
import { connect } from "node:http2";
import type { IncomingHttpHeaders } from "node:http2";
import * as grpc from "@grpc/grpc-js";
import * as assert from "uvu/assert";
import { createGrpcClient } from "../../runtime/grpc/client.ts";
import type { Method } from "../../runtime/grpc/method.ts";
import { suite } from "../harness.ts";
import { ECHO_SERVICE, startEchoServer } from "./echo-service.ts";
import type { EchoServer } from "./echo-service.ts";

const test = suite("runtime/grpc server");
const { Unary, Collect, Repeat, Chat } = ECHO_SERVICE.methods;

const encode = (message: string): Buffer => Buffer.from(message, "utf8");
const decode = (bytes: Buffer): string => bytes.toString("utf8");

type Outcome = { readonly code: number; readonly details: string; readonly answer: string };

function unary(
  client: grpc.Client,
  method: Method<string, string>,
  message: string,
  options: grpc.CallOptions = {},
  metadata = new grpc.Metadata(),
): Promise<Outcome> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      method.path,
      encode,
      decode,
      message,
      metadata,
      options,
      (error, answer) =>
        resolve({ code: error?.code ?? 0, details: error?.details ?? "", answer: answer ?? "" }),
    );
  });
}

async function withServer(
  body: (client: grpc.Client, server: EchoServer) => Promise<void>,
  maxMessageBytes?: number,
): Promise<void> {
  const server = await startEchoServer(maxMessageBytes);
  const client = new grpc.Client(server.address, grpc.credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.use_local_subchannel_pool": 1,
  });
  try {
    await body(client, server);
  } finally {
    client.close();
    await server.close();
  }
}

/** All messages and the final status of a stream. */
function drain(
  stream: grpc.ClientReadableStream<string> | grpc.ClientDuplexStream<string, string>,
): Promise<{ readonly messages: string[]; readonly code: number }> {
  const messages: string[] = [];
  stream.on("data", (message: string) => messages.push(message));
  stream.on("error", () => undefined);
  return new Promise((resolve) => {
    stream.on("status", (end: grpc.StatusObject) => resolve({ messages, code: end.code }));
  });
}

const until = async (condition: () => boolean): Promise<void> => {
  const deadline = Date.now() + 2000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("the condition did not come true in two seconds");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

test("a unary call is answered with its one message", () =>
  withServer(async (client) => {
    assert.equal(await unary(client, Unary, "hello"), { code: 0, details: "", answer: "HELLO" });
  }));

test("an empty message is a message", () =>
  withServer(async (client) => {
    assert.equal(await unary(client, Unary, ""), { code: 0, details: "", answer: "" });
  }));

test("a status carries its code and any text", () =>
  withServer(async (client) => {
    const text = "not leader: 100% of Zürich\n次";
    const outcome = await unary(client, Unary, `fail:14:${text}`);
    assert.equal(outcome, { code: 14, details: text, answer: "" });
  }));

test("metadata of the request reaches the handler", () =>
  withServer(async (client) => {
    const metadata = new grpc.Metadata();
    metadata.set("pd-forwarded-host", "127.0.0.1:2379");
    const outcome = await unary(client, Unary, "metadata:pd-forwarded-host", {}, metadata);
    assert.is(outcome.answer, "127.0.0.1:2379");
  }));

test("a client's stream is answered once, after its half-close", () =>
  withServer(async (client) => {
    const outcome = await new Promise<Outcome>((resolve) => {
      const stream = client.makeClientStreamRequest<string, string>(
        Collect.path,
        encode,
        decode,
        (error, answer) => resolve({ code: error?.code ?? 0, details: "", answer: answer ?? "" }),
      );
      for (const word of ["a", "b", "c"]) stream.write(word);
      stream.end();
    });
    assert.equal(outcome, { code: 0, details: "", answer: "a,b,c" });
  }));

test("a server's stream delivers every message in order, then its status", () =>
  withServer(async (client) => {
    const stream = client.makeServerStreamRequest(Repeat.path, encode, decode, "x");
    assert.equal(await drain(stream), { messages: ["x0", "x1", "x2"], code: 0 });
  }));

test("a stream in both directions answers while the client is still sending", () =>
  withServer(async (client) => {
    const stream = client.makeBidiStreamRequest<string, string>(Chat.path, encode, decode);
    const end = drain(stream);
    await new Promise<void>((resolve) => {
      stream.once("data", () => resolve());
      stream.write("one");
    });
    stream.write("two");
    stream.end();
    assert.equal(await end, { messages: ["ONE", "TWO"], code: 0 });
  }));

test("a server may end a stream before the client has half-closed it", () =>
  withServer(async (client, server) => {
    const stream = client.makeBidiStreamRequest<string, string>(Chat.path, encode, decode);
    const end = drain(stream);
    stream.write("one");
    stream.write("bye");
    assert.equal(await end, { messages: ["ONE"], code: 0 });
    await until(() => server.grpc.load().calls === 0);
    assert.is((await unary(client, Unary, "alive")).answer, "ALIVE");
  }));

test("a large message arrives whole through many DATA frames", () =>
  withServer(async (client) => {
    const message = "m".repeat(5 << 20);
    const outcome = await unary(client, Unary, message);
    assert.is(outcome.answer.length, message.length);
    assert.is(outcome.answer, message.toUpperCase());
  }, 8 << 20));

test("a message above the limit is refused with RESOURCE_EXHAUSTED and the connection lives", () =>
  withServer(async (client) => {
    const outcome = await unary(client, Unary, "m".repeat(200_000));
    assert.is(outcome.code, grpc.status.RESOURCE_EXHAUSTED);
    assert.match(outcome.details, /200000 bytes, the limit is 65536/);
    assert.is((await unary(client, Unary, "alive")).answer, "ALIVE");
  }, 65_536));

test("malformed bytes are refused with INTERNAL and the connection lives", () =>
  withServer(async (client) => {
    const outcome = await unary(client, Unary, "\0");
    assert.is(outcome.code, grpc.status.INTERNAL);
    assert.match(outcome.details, /malformed: no text/);
    assert.is((await unary(client, Unary, "alive")).answer, "ALIVE");
  }));

test("an unknown method is UNIMPLEMENTED and named", () =>
  withServer(async (client) => {
    const outcome = await unary(client, { ...Unary, path: "/test.Echo/Nothing" }, "x");
    assert.is(outcome.code, grpc.status.UNIMPLEMENTED);
    assert.match(outcome.details, /\/test\.Echo\/Nothing/);
  }));

test("a deadline ends the call at the server, which tells the handler", () =>
  withServer(async (client, server) => {
    const outcome = await unary(client, Unary, "never", { deadline: Date.now() + 40 });
    assert.is(outcome.code, grpc.status.DEADLINE_EXCEEDED);
    await until(() => server.events.includes("cancelled /test.Echo/Unary"));
    assert.is(server.grpc.load().calls, 0);
  }));

test("a call that the client cancels is told to the handler once", () =>
  withServer(async (client, server) => {
    const code = await new Promise<number>((resolve) => {
      const call = client.makeUnaryRequest(Unary.path, encode, decode, "never", (error) =>
        resolve(error?.code ?? 0),
      );
      void until(() => server.grpc.load().calls === 1).then(() => call.cancel());
    });
    assert.is(code, grpc.status.CANCELLED);
    await until(() => server.events.length === 2);
    assert.equal(server.events, ["ended /test.Echo/Unary 1", "cancelled /test.Echo/Unary"]);
  }));

test("a broken connection cancels every call on it", async () => {
  const server = await startEchoServer();
  const client = createGrpcClient(server.address);
  const calls = [client.unary(Unary, "never"), client.unary(Unary, "never")];
  await until(() => server.grpc.load().calls === 2);
  client.close();
  for (const outcome of await Promise.all(calls)) {
    assert.is(outcome.ok ? 0 : outcome.code, grpc.status.UNAVAILABLE);
  }
  await until(() => server.grpc.load().calls === 0);
  assert.is(server.events.filter((event) => event.startsWith("cancelled")).length, 2);
  await server.close();
});

test("compressed requests are refused by the name of their encoding", () =>
  withServer(async (_client, server) => {
    const compressing = new grpc.Client(server.address, grpc.credentials.createInsecure(), {
      "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip,
      "grpc.use_local_subchannel_pool": 1,
    });
    const outcome = await unary(compressing, Unary, "x".repeat(100));
    compressing.close();
    assert.is(outcome.code, grpc.status.UNIMPLEMENTED);
    assert.match(outcome.details, /gzip/);
  }));

test("a thousand calls at once on one connection are all answered", () =>
  withServer(async (client, server) => {
    const words = Array.from({ length: 1000 }, (_, i) => `w${i}`);
    const outcomes = await Promise.all(words.map((word) => unary(client, Unary, word)));
    assert.equal(
      outcomes.map((outcome) => outcome.answer),
      words.map((word) => word.toUpperCase()),
    );
    assert.is(server.grpc.load().sessions, 1);
  }));

test("closing lets calls under way end", async () => {
  const server = await startEchoServer();
  const client = new grpc.Client(server.address, grpc.credentials.createInsecure());
  const stream = client.makeBidiStreamRequest<string, string>(Chat.path, encode, decode);
  const end = drain(stream);
  await new Promise<void>((resolve) => {
    stream.once("data", () => resolve());
    stream.write("one");
  });
  const closed = server.grpc.close(2000);
  stream.write("bye");
  assert.equal(await end, { messages: ["ONE"], code: 0 });
  await closed;
  client.close();
  await server.close();
});

test("HTTP/2 requests that are not gRPC get an HTTP status", async () => {
  const server = await startEchoServer();
  const session = connect(`http://${server.address}`);
  const statusOf = (headers: Record<string, string>): Promise<number> =>
    new Promise((resolve) => {
      const stream = session.request(headers);
      stream.on("response", (answer: IncomingHttpHeaders & { ":status"?: number | undefined }) =>
        resolve(answer[":status"] ?? 0),
      );
      stream.on("error", () => undefined);
      stream.end();
      stream.resume();
    });
  const path = Unary.path;
  assert.is(
    await statusOf({ ":method": "POST", ":path": path, "content-type": "text/plain" }),
    415,
  );
  assert.is(await statusOf({ ":method": "GET", ":path": path }), 405);
  session.destroy();
  await server.close();
});

test.run();
