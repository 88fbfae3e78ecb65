/**
 * From gRPC calls to requests of a machine, for every shape of call: a unary call is one request, a
 * message of a client's stream is one request each, and the answers go back in the order in which
 * the machine gives them. A stream ends when the client has half-closed it and all is answered.
 */
import type { Ticket } from "../../engine/base/ids.ts";
import type { Handler, ServerCall } from "../grpc/server-call.ts";
import * as status from "../grpc/status.ts";
import type { Requests, Waiter } from "../node/requests.ts";

/** The short name of a method: what a machine's calls are told apart by. */
export const methodName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** What a stream is told that the server ends. */
export const STOPPING = "the server is stopping";

/** A call that has one request: the whole of it waits for one answer. */
class UnaryWaiter implements Waiter {
  readonly #call: ServerCall;
  ticket: Ticket | undefined;

  constructor(call: ServerCall) {
    this.#call = call;
  }

  answered(response: unknown): void {
    if (this.#call.method.serverStreaming) {
      this.#call.send(response);
      this.#call.end();
    } else {
      this.#call.reply(response);
    }
  }

  refused(code: number, message: string): void {
    this.#call.end(code, message);
  }
}

/** A stream of requests: each of its messages waits under a ticket of its own. */
class StreamState {
  readonly call: ServerCall;
  /** Tickets not answered yet, oldest first. */
  readonly open = new Set<Ticket>();
  halfClosed = false;
  draining = false;

  constructor(call: ServerCall) {
    this.call = call;
  }

  endIfDone(): void {
    if (this.open.size > 0) return;
    if (this.halfClosed) this.call.end();
    else if (this.draining) this.call.end(status.UNAVAILABLE, STOPPING);
  }
}

class StreamWaiter implements Waiter {
  readonly #stream: StreamState;
  ticket: Ticket | undefined;

  constructor(stream: StreamState) {
    this.#stream = stream;
  }

  answered(response: unknown): void {
    this.#stream.call.send(response);
    this.#settle();
  }

  /** The status of a stream is one for all of its messages. */
  refused(code: number, message: string): void {
    this.#stream.call.end(code, message);
    this.#settle();
  }

  #settle(): void {
    if (this.ticket !== undefined) this.#stream.open.delete(this.ticket);
    this.#stream.endIfDone();
  }
}

export function createServiceHandler(requests: Requests): Handler {
  return {
    message(call, message) {
      const name = methodName(call.method.path);
      if (call.method.clientStreaming) {
        const stream = streamOf(call);
        const waiter = new StreamWaiter(stream);
        waiter.ticket = requests.ask(name, message, waiter);
        stream.open.add(waiter.ticket);
      } else {
        const waiter = new UnaryWaiter(call);
        call.context = waiter;
        waiter.ticket = requests.ask(name, message, waiter);
      }
    },
    halfClosed(call) {
      const stream = streamOf(call);
      stream.halfClosed = true;
      stream.endIfDone();
    },
    draining(call) {
      const { context } = call;
      if (!(context instanceof StreamState)) return;
      context.draining = true;
      context.endIfDone();
    },
    cancelled(call) {
      const { context } = call;
      if (context instanceof UnaryWaiter) {
        if (context.ticket !== undefined) requests.cancel(context.ticket);
      } else if (context instanceof StreamState) {
        for (const ticket of context.open) requests.cancel(ticket);
      }
    },
  };
}

function streamOf(call: ServerCall): StreamState {
  if (call.context instanceof StreamState) return call.context;
  const stream = new StreamState(call);
  call.context = stream;
  return stream;
}
