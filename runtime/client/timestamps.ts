/**
 * Timestamps from one member of the placement driver, over one stream: whoever asks while a
 * question is under way shares the next one, so that a busy client asks once for hundreds.
 */
import { TsoRequest, TsoResponse } from "../../engine/protocol/gen/pdpb.ts";
import { PD_SERVICE } from "../../engine/protocol/services.ts";
import type { ClientStream, GrpcClient, UnaryResult } from "../grpc/client.ts";
import * as status from "../grpc/status.ts";
import type { Status } from "../grpc/status.ts";

type Resolve = (result: UnaryResult<TsoResponse>) => void;

const LATE: Status = { code: status.DEADLINE_EXCEEDED, message: "no timestamp came in time" };

export class TimestampStream {
  readonly #client: GrpcClient;
  #stream: ClientStream<TsoRequest> | undefined;
  /** Those that the question under way is for, and those for the next one. */
  #asked: Resolve[] = [];
  #waiting: Resolve[] = [];
  #timer: NodeJS.Timeout | undefined;
  #timeoutMs = 0;
  #header: TsoRequest["header"];

  constructor(client: GrpcClient) {
    this.#client = client;
  }

  ask(request: TsoRequest, timeoutMs: number): Promise<UnaryResult<TsoResponse>> {
    this.#header = request.header;
    this.#timeoutMs = timeoutMs;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#asked.length === 0) this.#next();
    });
  }

  close(): void {
    this.#stream?.cancel();
    this.#end({ code: status.CANCELLED, message: "the client was closed" });
  }

  #next(): void {
    if (this.#waiting.length === 0) return;
    this.#asked = this.#waiting;
    this.#waiting = [];
    this.#stream ??= this.#open();
    // A member that hangs is left, not waited for.
    this.#timer = setTimeout(() => {
      const stream = this.#stream;
      this.#end(LATE);
      stream?.cancel();
    }, this.#timeoutMs);
    this.#stream.send(TsoRequest.make({ header: this.#header, count: this.#asked.length }));
  }

  #open(): ClientStream<TsoRequest> {
    const stream: ClientStream<TsoRequest> = this.#client.stream(PD_SERVICE.methods.Tso, {
      message: (response) => {
        if (this.#stream === stream) this.#answered(response);
      },
      ended: (end) => {
        if (this.#stream === stream) this.#end(end);
      },
    });
    return stream;
  }

  /** The answer names the greatest of `count` timestamps in a row. */
  #answered(response: TsoResponse): void {
    clearTimeout(this.#timer);
    const asked = this.#asked;
    this.#asked = [];
    const { timestamp } = response;
    const first = (timestamp?.logical ?? 0) - asked.length + 1;
    asked.forEach((resolve, i) => {
      if (timestamp === undefined) return resolve({ ok: true, response });
      const own = { ...timestamp, logical: first + i };
      return resolve({ ok: true, response: TsoResponse.make({ ...response, timestamp: own }) });
    });
    this.#next();
  }

  #end(end: Status): void {
    clearTimeout(this.#timer);
    this.#stream = undefined;
    const left = [...this.#asked, ...this.#waiting];
    this.#asked = [];
    this.#waiting = [];
    for (const resolve of left) resolve({ ok: false, ...end });
  }
}
