/** Commands that share a stream, against a stream that the test holds in its hands. */
import { setImmediate as turn } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import {
  RawCASRequest,
  RawGetRequest,
  RawGetResponse,
  RawPutRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import { BatchCommandsResponse } from "../../engine/protocol/gen/tikvpb.ts";
import type {
  BatchCommandsRequest,
  BatchCommandsRequest_Request,
} from "../../engine/protocol/gen/tikvpb.ts";
import { batchResponseOf } from "../../engine/protocol/services.ts";
import { commandOf, CommandStream } from "../../runtime/client/commands.ts";
import type { GrpcClient, StreamEvents } from "../../runtime/grpc/client.ts";
import * as status from "../../runtime/grpc/status.ts";
import { suite } from "../harness.ts";

const test = suite("runtime/client commands");

/** A connection whose streams do nothing but what the test says. */
class Line {
  readonly sent: BatchCommandsRequest[] = [];
  readonly streams: StreamEvents<BatchCommandsResponse>[] = [];
  readonly commands: CommandStream = new CommandStream(this.#client());

  get(value: number, timeoutMs = 1000, signal?: AbortSignal): Promise<number> {
    const request = RawGetRequest.make({ key: `key ${value}` as Key });
    const command = commandOf({ method: "RawGet", request });
    assert.ok(command !== undefined);
    return this.commands.ask(command, timeoutMs, signal).then((result) => {
      if (!result.ok) return -result.code;
      const { cmd } = result.response;
      return cmd?.case === "rawGet" ? (cmd.value.value[0] ?? 0) : Number.NaN;
    });
  }

  /** Answers these commands, each with the last byte of its key. */
  answer(ids: readonly number[], of: readonly number[]): void {
    const responses = of.map((value) =>
      batchResponseOf({
        method: "RawGet",
        response: RawGetResponse.make({ value: Uint8Array.of(value) }),
      }),
    );
    const requestIds = [...ids];
    this.streams.at(-1)?.message(BatchCommandsResponse.make({ responses, requestIds }));
  }

  #client(): GrpcClient {
    const { sent, streams } = this;
    return {
      unary: () => Promise.reject(new Error("nothing is asked alone")),
      stream: (_, events) => {
        streams.push(events as unknown as StreamEvents<BatchCommandsResponse>);
        return {
          send: (message) => void sent.push(message as BatchCommandsRequest),
          halfClose: () => undefined,
          cancel: () => undefined,
        };
      },
      close: () => undefined,
    };
  }
}

const keysOf = ({ requests }: { readonly requests: readonly BatchCommandsRequest_Request[] }) =>
  requests.map(({ cmd }) => (cmd?.case === "rawGet" ? cmd.value.key : "?"));

test("what a turn asks leaves as one message, and each answer finds who asked", async () => {
  const line = new Line();
  const answers = [line.get(1), line.get(2), line.get(3)];
  assert.is(line.sent.length, 0);
  await turn();
  assert.is(line.sent.length, 1);
  assert.equal(keysOf(line.sent[0]!), ["key 1", "key 2", "key 3"]);
  const [first, second, third] = line.sent[0]!.requestIds;
  line.answer([third!, first!], [3, 1]);
  line.answer([second!], [2]);
  assert.equal(await Promise.all(answers), [1, 2, 3]);
});

test("a message holds 128 commands at most", async () => {
  const line = new Line();
  for (let i = 0; i < 300; i++) void line.get(i % 100);
  await turn();
  assert.equal(
    line.sent.map(({ requests }) => requests.length),
    [128, 128, 44],
  );
  assert.is(line.streams.length, 1);
  line.commands.close();
});

test("who has waited long enough or is told to stop waits no more, and a late answer finds nobody", async () => {
  const line = new Line();
  const controller = new AbortController();
  const late = line.get(1, 5);
  const stopped = line.get(2, 1000, controller.signal);
  const patient = line.get(3);
  await turn();
  controller.abort();
  assert.is(await stopped, -status.CANCELLED);
  assert.is(await late, -status.DEADLINE_EXCEEDED);
  line.answer(line.sent[0]!.requestIds, [1, 2, 3]);
  assert.is(await patient, 3);
});

test("commands of a stream that ends have no answer; those not sent yet go out on the next", async () => {
  const line = new Line();
  const lost = line.get(1);
  await turn();
  const next = line.get(2);
  line.streams[0]!.ended({ code: status.UNAVAILABLE, message: "gone" });
  assert.is(await lost, -status.UNAVAILABLE);
  await turn();
  assert.is(line.streams.length, 2);
  assert.equal(keysOf(line.sent[1]!), ["key 2"]);
  // The stream before says nothing any more that counts.
  line.streams[0]!.ended({ code: status.OK, message: "" });
  line.answer(line.sent[1]!.requestIds, [2]);
  assert.is(await next, 2);
});

test("closing leaves nobody waiting and sends nothing more", async () => {
  const line = new Line();
  const under = line.get(1);
  await turn();
  const unsent = line.get(2);
  line.commands.close();
  assert.equal(await Promise.all([under, unsent]), [-status.CANCELLED, -status.CANCELLED]);
  await turn();
  assert.is(line.sent.length, 1);
});

test("what is large, may not be repeated or is no command goes alone", () => {
  const put = (bytes: number): unknown =>
    commandOf({
      method: "RawPut",
      request: RawPutRequest.make({ value: new Uint8Array(bytes) }),
    });
  assert.ok(put(1000) !== undefined);
  assert.is(put(100_000), undefined);
  const request = RawCASRequest.make({ key: "key" as Key });
  assert.is(commandOf({ method: "RawCompareAndSwap", request }), undefined);
});

test.run();
