/**
 * `BatchCommands`: a stream that carries many calls at once. Each command becomes a request of its
 * own; the answers that a turn of the event loop yields leave as one message, in any order.
 */
import {
  BatchCommandsEmptyResponse,
  BatchCommandsResponse,
} from "../../engine/protocol/gen/tikvpb.ts";
import type {
  BatchCommandsRequest,
  BatchCommandsResponse_Response,
} from "../../engine/protocol/gen/tikvpb.ts";
import { batchResponseOf, callOfBatchCommand } from "../../engine/protocol/services.ts";
import type { TikvReply } from "../../engine/protocol/services.ts";
import type { Handler, ServerCall } from "../grpc/server-call.ts";
import * as status from "../grpc/status.ts";
import type { Requests, Waiter } from "../node/requests.ts";
import { STOPPING } from "./handler.ts";

/** Told of each command that was answered: its method, and how long that took. */
export type ObserveCommand = (method: string, milliseconds: number) => void;

/** What a command is answered with that this version does not know, or that the store refused. */
const NO_ANSWER: BatchCommandsResponse_Response = { cmd: undefined };

/** One stream with the answers of the current turn. */
class Batch {
  readonly call: ServerCall;
  /** Commands not answered yet. */
  open = 0;
  halfClosed = false;
  draining = false;
  #responses: BatchCommandsResponse_Response[] = [];
  #requestIds: number[] = [];
  #flushing = false;

  constructor(call: ServerCall) {
    this.call = call;
  }

  add(requestId: number, response: BatchCommandsResponse_Response): void {
    this.#responses.push(response);
    this.#requestIds.push(requestId);
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    this.call.send(
      BatchCommandsResponse.make({ responses: this.#responses, requestIds: this.#requestIds }),
    );
    this.#responses = [];
    this.#requestIds = [];
    this.endIfDone();
  }

  endIfDone(): void {
    if (this.open > 0 || this.#flushing) return;
    if (this.halfClosed) this.call.end();
    else if (this.draining) this.call.end(status.UNAVAILABLE, STOPPING);
  }
}

class CommandWaiter implements Waiter {
  readonly #batch: Batch;
  readonly #requestId: number;
  readonly #method: string;
  readonly #arrivedAt: number;
  readonly #observe: ObserveCommand;

  constructor(
    batch: Batch,
    requestId: number,
    method: string,
    arrivedAt: number,
    observe: ObserveCommand,
  ) {
    this.#batch = batch;
    this.#requestId = requestId;
    this.#method = method;
    this.#arrivedAt = arrivedAt;
    this.#observe = observe;
  }

  answered(response: unknown): void {
    // The machine answers a call with the response of its own method.
    const reply = { method: this.#method, response } as TikvReply;
    this.#batch.open -= 1;
    this.#batch.add(this.#requestId, batchResponseOf(reply));
    this.#observe(this.#method, performance.now() - this.#arrivedAt);
  }

  /**
   * A status would end all commands of the stream: the client gets an answer without content
   * instead.
   */
  refused(): void {
    this.#batch.open -= 1;
    this.#batch.add(this.#requestId, NO_ANSWER);
  }
}

export function createBatchHandler(requests: Requests, observe: ObserveCommand): Handler {
  return {
    message(call, message) {
      const batch = batchOf(call);
      const { requests: commands, requestIds } = message as BatchCommandsRequest;
      const arrivedAt = performance.now();
      for (const [i, command] of commands.entries()) {
        const requestId = requestIds[i] ?? 0;
        const asked = callOfBatchCommand(command);
        if (asked === undefined) {
          batch.add(requestId, emptyAnswer(command));
        } else {
          batch.open += 1;
          const waiter = new CommandWaiter(batch, requestId, asked.method, arrivedAt, observe);
          requests.ask(asked.method, asked.request, waiter);
        }
      }
    },
    halfClosed(call) {
      const batch = batchOf(call);
      batch.halfClosed = true;
      batch.endIfDone();
    },
    draining(call) {
      const batch = batchOf(call);
      batch.draining = true;
      batch.endIfDone();
    },
  };
}

function batchOf(call: ServerCall): Batch {
  if (call.context instanceof Batch) return call.context;
  const batch = new Batch(call);
  call.context = batch;
  return batch;
}

function emptyAnswer({
  cmd,
}: BatchCommandsRequest["requests"][number]): BatchCommandsResponse_Response {
  if (cmd?.case !== "empty") return NO_ANSWER;
  const value = BatchCommandsEmptyResponse.make({ testId: cmd.value.testId });
  return { cmd: { case: "empty", value } };
}
