/**
 * Calls without a client library: whoever uses them knows regions, leaders and addresses already,
 * and makes every message himself. Once over grpc-js, as anybody would who has the protocol's
 * files and nothing else, and once over the channel that our own client stands on.
 */
import * as grpc from "@grpc/grpc-js";
import { TsoRequest } from "../../engine/protocol/gen/pdpb.ts";
import type { TsoResponse } from "../../engine/protocol/gen/pdpb.ts";
import { PD_SERVICE } from "../../engine/protocol/services.ts";
import { createWriter, writtenView } from "../../engine/protocol/writer.ts";
import { createGrpcClient } from "../../runtime/grpc/client.ts";
import type { GrpcClient } from "../../runtime/grpc/client.ts";
import type { Codec, Method } from "../../runtime/grpc/method.ts";

/** The means of calling. Everything rejects where a server does not answer well. */
export interface Stub {
  readonly name: string;
  call<Request, Response>(
    address: string,
    method: Method<Request, Response>,
    request: Request,
  ): Promise<Response>;
  /** One message, one timestamp. */
  timestamp(pd: string, clusterId: bigint): Promise<TsoResponse>;
  close(): void;
}

const TIMEOUT_MS = 20_000;
const { Tso } = PD_SERVICE.methods;

/** Answers of a stream come in the order of its questions. */
class Questions {
  readonly #waiting: ((response: TsoResponse) => void)[] = [];

  ask(send: () => void): Promise<TsoResponse> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      send();
    });
  }

  answered(response: TsoResponse): void {
    this.#waiting.shift()?.(response);
  }
}

const questionTo = (clusterId: bigint): TsoRequest =>
  TsoRequest.make({
    header: { clusterId, senderId: 0, callerId: "", callerComponent: "" },
    count: 1,
  });

/** The channel under `rutile/client`, used bare. */
export function channelStub(): Stub {
  const clients = new Map<string, GrpcClient>();
  const clientOf = (address: string): GrpcClient => {
    const client = clients.get(address) ?? createGrpcClient(address);
    clients.set(address, client);
    return client;
  };
  const questions = new Questions();
  let stream: ReturnType<typeof openStream> | undefined;
  const openStream = (pd: string): { send: (request: TsoRequest) => void } =>
    clientOf(pd).stream(Tso, {
      message: (response) => questions.answered(response),
      ended: () => undefined,
    });
  return {
    name: "our channel",
    call: async (address, method, request) => {
      const result = await clientOf(address).unary(method, request, { timeoutMs: TIMEOUT_MS });
      if (!result.ok) throw new Error(`${method.path}: ${result.message}`);
      return result.response;
    },
    timestamp: (pd, clusterId) =>
      questions.ask(() => {
        stream ??= openStream(pd);
        stream.send(questionTo(clusterId));
      }),
    close: () => {
      for (const client of clients.values()) client.close();
    },
  };
}

/** Independent of us: grpc-js, with our codecs of messages behind its channels. */
export function grpcJsStub(): Stub {
  const clients = new Map<string, grpc.Client>();
  const clientOf = (address: string): grpc.Client => {
    const client =
      clients.get(address) ?? new grpc.Client(address, grpc.credentials.createInsecure());
    clients.set(address, client);
    return client;
  };
  const questions = new Questions();
  let stream: grpc.ClientDuplexStream<TsoRequest, TsoResponse> | undefined;
  const openStream = (pd: string): grpc.ClientDuplexStream<TsoRequest, TsoResponse> =>
    clientOf(pd)
      .makeBidiStreamRequest(Tso.path, serializer(Tso.request), deserializer(Tso.response))
      .on("data", (response: TsoResponse) => questions.answered(response))
      .on("error", () => undefined);
  return {
    name: "grpc-js",
    call: <Request, Response>(
      address: string,
      { path, request: from, response: to }: Method<Request, Response>,
      request: Request,
    ) =>
      new Promise<Response>((resolve, reject) => {
        clientOf(address).makeUnaryRequest(
          path,
          serializer(from),
          deserializer(to),
          request,
          { deadline: Date.now() + TIMEOUT_MS },
          (error, response) => {
            if (error !== null) reject(error);
            else if (response === undefined) reject(new Error(`${path}: no answer`));
            else resolve(response);
          },
        );
      }),
    timestamp: (pd, clusterId) =>
      questions.ask(() => {
        stream ??= openStream(pd);
        stream.write(questionTo(clusterId));
      }),
    close: () => {
      stream?.cancel();
      for (const client of clients.values()) client.close();
    },
  };
}

const FIRST_BYTES = 4096;

function serializer<T>(codec: Codec<T>): (message: T) => Buffer {
  const writer = createWriter(FIRST_BYTES);
  return (message) => {
    writer.size = 0;
    codec.write(writer, message);
    return Buffer.from(writtenView(writer));
  };
}

function deserializer<T>(codec: Codec<T>): (bytes: Buffer) => T {
  return (bytes) => {
    const decoded = codec.decode(bytes);
    if (!decoded.ok) throw new Error(`malformed answer: ${decoded.reason}`);
    return decoded.value;
  };
}
