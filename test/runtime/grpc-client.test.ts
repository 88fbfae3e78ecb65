/** The gRPC client against an independent server, grpc-js, and against a server that goes away. */
import * as grpc from "@grpc/grpc-js";
import * as assert from "uvu/assert";
import { createGrpcClient } from "../../runtime/grpc/client.ts";
import type { Status } from "../../runtime/grpc/status.ts";
import { suite } from "../harness.ts";
import { ECHO_SERVICE, startEchoServer } from "./echo-service.ts";

const test = suite("runtime/grpc client");
const { Unary, Chat } = ECHO_SERVICE.methods;

const codec = {
  requestSerialize: (text: string): Buffer => Buffer.from(text),
  requestDeserialize: (bytes: Buffer): string => bytes.toString(),
  responseSerialize: (text: string): Buffer => Buffer.from(text),
  responseDeserialize: (bytes: Buffer): string => bytes.toString(),
};

/** A server of grpc-js that answers like the echo service where the tests ask. */
async function startOtherServer(): Promise<{ address: string; close: () => void }> {
  const server = new grpc.Server();
  server.addService(
    {
      unary: { path: Unary.path, requestStream: false, responseStream: false, ...codec },
      chat: { path: Chat.path, requestStream: true, responseStream: true, ...codec },
    },
    {
      unary(call: grpc.ServerUnaryCall<string, string>, answer: grpc.sendUnaryData<string>) {
        if (call.request === "never") return;
        if (call.request === "fail") answer({ code: 9, details: "Zürich 100%" });
        else answer(null, call.request.toUpperCase());
      },
      chat(call: grpc.ServerDuplexStream<string, string>) {
        call.on("data", (text: string) => call.write(text.toUpperCase()));
        call.on("end", () => call.end());
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}

test("a unary call returns the answer, or the status with its text", async () => {
  const server = await startOtherServer();
  const client = createGrpcClient(server.address);
  assert.equal(await client.unary(Unary, "hello"), { ok: true, response: "HELLO" });
  assert.equal(await client.unary(Unary, "fail"), { ok: false, code: 9, message: "Zürich 100%" });
  client.close();
  server.close();
});

test("a call without an answer ends at its deadline", async () => {
  const server = await startOtherServer();
  const client = createGrpcClient(server.address);
  const outcome = await client.unary(Unary, "never", { timeoutMs: 30 });
  assert.is(outcome.ok ? 0 : outcome.code, grpc.status.DEADLINE_EXCEEDED);
  client.close();
  server.close();
});

test("a stream delivers its answers in order and then one status", async () => {
  const server = await startOtherServer();
  const client = createGrpcClient(server.address);
  const answers: string[] = [];
  const end = await new Promise<Status>((resolve) => {
    const stream = client.stream(Chat, { message: (text) => answers.push(text), ended: resolve });
    stream.send("one");
    stream.send("two");
    setImmediate(() => {
      stream.send("three");
      stream.halfClose();
    });
  });
  assert.equal(answers, ["ONE", "TWO", "THREE"]);
  assert.is(end.code, 0);
  client.close();
  server.close();
});

test("a server that cannot be reached is UNAVAILABLE, and the client connects once it is there", async () => {
  const first = await startEchoServer();
  const { address } = first;
  await first.close();
  const client = createGrpcClient(address);
  const outcome = await client.unary(Unary, "x", { timeoutMs: 1000 });
  assert.is(outcome.ok ? 0 : outcome.code, grpc.status.UNAVAILABLE);
  const second = await startEchoServer(1 << 20, Number(address.split(":")[1]));
  assert.equal(await client.unary(Unary, "x", { timeoutMs: 1000 }), { ok: true, response: "X" });
  client.close();
  await second.close();
});

test.run();
