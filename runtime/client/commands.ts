/**
 * Commands for one store over one stream (`BatchCommands`), as TiKV's own clients send them: what a
 * turn of the event loop asks leaves as one message, and many answers come in one. A call alone
 * costs both sides a stream of HTTP/2 with its headers, several times the work of a point read.
 */
import { BatchCommandsRequest } from "../../engine/protocol/gen/tikvpb.ts";
import type {
  BatchCommandsRequest_Request,
  BatchCommandsResponse,
  BatchCommandsResponse_Response,
} from "../../engine/protocol/gen/tikvpb.ts";
import type { Signal } from "../../engine/client/ports.ts";
import { batchCommandOf, TIKV_SERVICE } from "../../engine/protocol/services.ts";
import type { TikvCall } from "../../engine/protocol/services.ts";
import type { ClientStream, GrpcClient, UnaryResult } from "../grpc/client.ts";
import * as status from "../grpc/status.ts";
import type { Status } from "../grpc/status.ts";

/** Commands of one message, as TiKV's Go client sends at most. */
const MOST_COMMANDS = 128;
/** Bytes of values above which a call goes alone: servers limit what a message may hold. */
const LARGE_BYTES = 64 << 10;

type Result = UnaryResult<BatchCommandsResponse_Response>;

const LATE: Status = { code: status.DEADLINE_EXCEEDED, message: "deadline exceeded" };
const CANCELLED: Status = { code: status.CANCELLED, message: "cancelled" };

/**
 * The command that `call` is; undefined where it must go alone: it is large, the stream has no such
 * command, or it may not be repeated, and a batch does not say why it refuses.
 */
export function commandOf(call: TikvCall): BatchCommandsRequest_Request | undefined {
  if (call.method === "RawCompareAndSwap" || bytesOf(call) > LARGE_BYTES) return undefined;
  return batchCommandOf(call);
}

/** Of the values that it carries. */
function bytesOf(call: TikvCall): number {
  switch (call.method) {
    case "RawPut":
      return call.request.value.length;
    case "RawBatchPut":
      return total(call.request.pairs);
    case "KvPrewrite":
    case "KvFlush":
      return total(call.request.mutations);
    default:
      return 0;
  }
}

const total = (parts: readonly { readonly value: Uint8Array }[]): number =>
  parts.reduce((sum, { value }) => sum + value.length, 0);

export class CommandStream {
  readonly #client: GrpcClient;
  /** Who waits for an answer, by the command's number. */
  readonly #waiting = new Map<number, (result: Result) => void>();
  #stream: ClientStream<BatchCommandsRequest> | undefined;
  #lastId = 0;
  #requests: BatchCommandsRequest_Request[] = [];
  #requestIds: number[] = [];
  #flushing = false;

  constructor(client: GrpcClient) {
    this.#client = client;
  }

  /** The answer has no content where the store refuses and cannot say why without ending all. */
  ask(
    command: BatchCommandsRequest_Request,
    timeoutMs: number,
    signal: Signal | undefined,
  ): Promise<Result> {
    return new Promise((resolve) => {
      this.#lastId += 1;
      const id = this.#lastId;
      const giveUp = (end: Status): void => this.#settle(id, { ok: false, ...end });
      const timer = setTimeout(giveUp, timeoutMs, LATE);
      const cancel = (): void => giveUp(CANCELLED);
      signal?.addEventListener("abort", cancel, { once: true });
      this.#waiting.set(id, (result) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", cancel);
        resolve(result);
      });
      this.#requests.push(command);
      this.#requestIds.push(id);
      if (this.#requests.length >= MOST_COMMANDS) this.#flush();
      else this.#flushSoon();
    });
  }

  close(): void {
    const stream = this.#stream;
    this.#requests = [];
    this.#requestIds = [];
    this.#end({ code: status.CANCELLED, message: "the client was closed" });
    stream?.cancel();
  }

  /** When everything has been heard that this turn brings: its answers ask the next questions. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#requests.length === 0) return;
    const message = BatchCommandsRequest.make({
      requests: this.#requests,
      requestIds: this.#requestIds,
    });
    this.#requests = [];
    this.#requestIds = [];
    this.#stream ??= this.#open();
    this.#stream.send(message);
  }

  #open(): ClientStream<BatchCommandsRequest> {
    const stream: ClientStream<BatchCommandsRequest> = this.#client.stream(
      TIKV_SERVICE.methods.BatchCommands,
      {
        message: (response) => {
          if (this.#stream === stream) this.#answered(response);
        },
        ended: (end) => {
          if (this.#stream === stream) this.#end(end);
        },
      },
    );
    return stream;
  }

  #answered({ responses, requestIds }: BatchCommandsResponse): void {
    for (const [i, response] of responses.entries()) {
      this.#settle(requestIds[i] ?? 0, { ok: true, response });
    }
  }

  #settle(id: number, result: Result): void {
    const settle = this.#waiting.get(id);
    this.#waiting.delete(id);
    settle?.(result);
  }

  /** The stream is over. What has not left yet goes out on the next one. */
  #end(end: Status): void {
    this.#stream = undefined;
    // A stream may end as it should; its commands have no answer all the same.
    const failure: Status =
      end.code === status.OK ? { code: status.UNAVAILABLE, message: "the stream has ended" } : end;
    const unsent = new Set(this.#requestIds);
    for (const id of this.#waiting.keys()) {
      if (!unsent.has(id)) this.#settle(id, { ok: false, ...failure });
    }
  }
}
