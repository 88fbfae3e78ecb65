/** From gRPC calls to requests of a machine and back, with a scripted machine. */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import * as assert from "uvu/assert";
import { EMPTY_BYTES, Key } from "../../engine/base/bytes.ts";
import type { Ticket } from "../../engine/base/ids.ts";
import { HEALTH_SERVICE, PD_SERVICE, TIKV_SERVICE } from "../../engine/protocol/services.ts";
import { RawGetRequest, RawGetResponse } from "../../engine/protocol/gen/kvrpcpb.ts";
import { TsoRequest, TsoResponse } from "../../engine/protocol/gen/pdpb.ts";
import {
  BatchCommandsEmptyRequest,
  BatchCommandsRequest,
} from "../../engine/protocol/gen/tikvpb.ts";
import type { BatchCommandsResponse } from "../../engine/protocol/gen/tikvpb.ts";
import { createBatchHandler } from "../../runtime/service/batch-commands.ts";
import { createGrpcClient } from "../../runtime/grpc/client.ts";
import type { ClientStream, GrpcClient } from "../../runtime/grpc/client.ts";
import type { Handler } from "../../runtime/grpc/server-call.ts";
import { createGrpcServer } from "../../runtime/grpc/server.ts";
import type { GrpcServer } from "../../runtime/grpc/server.ts";
import type { Service } from "../../runtime/grpc/method.ts";
import { createHealth } from "../../runtime/service/health.ts";
import { Requests } from "../../runtime/node/requests.ts";
import { createServiceHandler } from "../../runtime/service/handler.ts";
import { suite } from "../harness.ts";

const test = suite("runtime/requests");

interface Asked {
  readonly ticket: Ticket;
  readonly method: string;
  readonly request: unknown;
}

interface Bench {
  readonly requests: Requests;
  /** What the machine was asked, oldest first. */
  readonly asked: Asked[];
  readonly cancelled: Ticket[];
  readonly client: GrpcClient;
  readonly grpc: GrpcServer;
  close(): Promise<void>;
}

async function start(service: Service, handlerOf: (requests: Requests) => Handler): Promise<Bench> {
  const asked: Asked[] = [];
  const cancelled: Ticket[] = [];
  const requests = new Requests({
    request: (ticket, method, request) => void asked.push({ ticket, method, request }),
    cancelled: (ticket) => void cancelled.push(ticket),
  });
  const grpc = createGrpcServer({
    services: [{ service, handler: handlerOf(requests) }],
    maxMessageBytes: 1 << 20,
  });
  const server = createServer((socket) => grpc.accept(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = createGrpcClient(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  const close = async (): Promise<void> => {
    client.close();
    server.close();
    await grpc.close(0);
  };
  return { requests, asked, cancelled, client, grpc, close };
}

const until = async (condition: () => boolean, what: string): Promise<void> => {
  const deadline = Date.now() + 2000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within two seconds: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};

const get = (key: string): RawGetRequest => RawGetRequest.make({ key: Key(key) });
const { RawGet, BatchCommands } = TIKV_SERVICE.methods;

const ticketOf = (bench: Bench, index: number): Ticket => {
  const asked = bench.asked[index];
  if (asked === undefined) throw new Error(`the machine was not asked ${index + 1} times`);
  return asked.ticket;
};

test("answers find their calls, in whatever order they come", async () => {
  const bench = await start(TIKV_SERVICE, createServiceHandler);
  const first = bench.client.unary(RawGet, get("a"));
  const second = bench.client.unary(RawGet, get("b"));
  await until(() => bench.asked.length === 2, "two requests");
  assert.equal(
    bench.asked.map(({ method }) => method),
    ["RawGet", "RawGet"],
  );
  bench.requests.answer(ticketOf(bench, 1), RawGetResponse.make({ error: "b" }));
  bench.requests.refuse(ticketOf(bench, 0), 3, "mismatch cluster id");
  const answer = await second;
  assert.is(answer.ok ? answer.response.error : "", "b");
  assert.equal(await first, { ok: false, code: 3, message: "mismatch cluster id" });
  assert.is(bench.requests.size, 0);
  await bench.close();
});

test("a call whose client is gone is cancelled once, and its answer finds nobody", async () => {
  const bench = await start(TIKV_SERVICE, createServiceHandler);
  const call = bench.client.unary(RawGet, get("a"), { timeoutMs: 30 });
  await call;
  await until(() => bench.cancelled.length === 1, "the cancellation");
  assert.equal(bench.cancelled, [ticketOf(bench, 0)]);
  bench.requests.answer(ticketOf(bench, 0), RawGetResponse.make());
  assert.is(bench.requests.size, 0);
  await bench.close();
});

test("each message of a stream is a request, and the stream ends when all are answered", async () => {
  const bench = await start(PD_SERVICE, createServiceHandler);
  const counts: number[] = [];
  let code = -1;
  const stream = bench.client.stream(PD_SERVICE.methods.Tso, {
    message: ({ count }) => void counts.push(count),
    ended: (status) => (code = status.code),
  });
  stream.send(TsoRequest.make({ count: 1 }));
  stream.send(TsoRequest.make({ count: 2 }));
  stream.halfClose();
  await until(() => bench.asked.length === 2, "two requests");
  bench.requests.answer(ticketOf(bench, 0), TsoResponse.make({ count: 1 }));
  await until(() => counts.length === 1, "the first answer");
  assert.is(code, -1);
  bench.requests.answer(ticketOf(bench, 1), TsoResponse.make({ count: 2 }));
  await until(() => code !== -1, "the end");
  assert.equal([counts, code], [[1, 2], 0]);
  await bench.close();
});

const command = (key: string): BatchCommandsRequest["requests"][number] => ({
  cmd: { case: "rawGet", value: get(key) },
});

interface BatchBench extends Bench {
  readonly stream: ClientStream<BatchCommandsRequest>;
  readonly answers: BatchCommandsResponse[];
  readonly ends: number[];
}

async function startBatch(): Promise<BatchBench> {
  const bench = await start(TIKV_SERVICE, (requests) =>
    createBatchHandler(requests, () => undefined),
  );
  const answers: BatchCommandsResponse[] = [];
  const ends: number[] = [];
  const stream = bench.client.stream(BatchCommands, {
    message: (answer) => void answers.push(answer),
    ended: ({ code }) => void ends.push(code),
  });
  return { ...bench, stream, answers, ends };
}

test("commands of a batch are requests, and the answers of a turn leave as one message", async () => {
  const bench = await startBatch();
  const requests = ["a", "b", "c"].map(command);
  bench.stream.send(BatchCommandsRequest.make({ requests, requestIds: [7, 8, 9] }));
  await until(() => bench.asked.length === 3, "three requests");
  bench.requests.answer(ticketOf(bench, 2), RawGetResponse.make({ error: "c" }));
  bench.requests.answer(ticketOf(bench, 0), RawGetResponse.make({ error: "a" }));
  await until(() => bench.answers.length === 1, "the first message");
  bench.requests.answer(ticketOf(bench, 1), RawGetResponse.make({ error: "b" }));
  await until(() => bench.answers.length === 2, "the second message");
  assert.equal(
    bench.answers.map(({ requestIds }) => [...requestIds]),
    [[9, 7], [8]],
  );
  const errors = bench.answers.flatMap(({ responses }) =>
    responses.map(({ cmd }) => (cmd?.case === "rawGet" ? cmd.value.error : cmd?.case)),
  );
  assert.equal(errors, ["c", "a", "b"]);
  await bench.close();
});

test("an empty command is answered at once, and a refused one without content", async () => {
  const bench = await startBatch();
  const empty = { case: "empty", value: BatchCommandsEmptyRequest.make({ testId: 5 }) } as const;
  const requests = [{ cmd: empty }, command("a")];
  bench.stream.send(BatchCommandsRequest.make({ requests, requestIds: [1, 2] }));
  await until(() => bench.answers.length === 1, "the empty answer");
  bench.requests.refuse(ticketOf(bench, 0), 12, "not served");
  await until(() => bench.answers.length === 2, "the refusal");
  const [first, second] = bench.answers.map(({ responses }) => responses[0]?.cmd);
  assert.equal(first?.case === "empty" ? first.value.testId : undefined, 5);
  assert.is(second, undefined);
  assert.equal(bench.ends, []);
  await bench.close();
});

test("a stream ends with UNAVAILABLE when the server closes and nothing waits in it", async () => {
  const bench = await startBatch();
  const requests = [command("a")];
  bench.stream.send(BatchCommandsRequest.make({ requests, requestIds: [1] }));
  await until(() => bench.asked.length === 1, "the request");
  const closing = bench.grpc.close(2000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(bench.ends, []);
  bench.requests.answer(ticketOf(bench, 0), RawGetResponse.make({ value: EMPTY_BYTES }));
  await closing;
  await until(() => bench.ends.length === 1, "the end");
  assert.is(bench.answers.length, 1);
  assert.equal(bench.ends, [14]);
  await bench.close();
});

test("health is asked and watched, of the node and of its services by name", async () => {
  const health = createHealth(["tikvpb.Tikv"]);
  const bench = await start(HEALTH_SERVICE, () => health.handler);
  const { Check, Watch } = HEALTH_SERVICE.methods;
  const check = async (service: string): Promise<number> => {
    const result = await bench.client.unary(Check, Check.request.make({ service }));
    return result.ok ? result.response.status : -result.code;
  };
  assert.equal([await check(""), await check("nothing")], [2, -5]);
  const watched: number[] = [];
  const watching = bench.client.stream(Watch, {
    message: ({ status }) => void watched.push(status),
    ended: () => undefined,
  });
  watching.send(Watch.request.make({ service: "tikvpb.Tikv" }));
  await until(() => watched.length === 1, "the first status");
  health.set(true);
  await until(() => watched.length === 2, "the change");
  assert.equal(watched, [2, 1]);
  assert.is(await check("tikvpb.Tikv"), 1);
  await bench.close();
});

test.run();
