/** What a gRPC server or client needs to know of a service: one row a method. */
import type { MessageCodec } from "./codec.ts";

/** One method of a service. */
export interface MethodRow<Request, Response> {
  /** The HTTP/2 path, as `/tikvpb.Tikv/RawGet`. */
  readonly path: string;
  readonly request: MessageCodec<Request>;
  readonly response: MessageCodec<Response>;
  readonly clientStreaming: boolean;
  readonly serverStreaming: boolean;
}

/** The messages of one method, in types only. */
export interface MethodTypes {
  readonly request: unknown;
  readonly response: unknown;
}

/** The rows of a service whose methods are `Methods`. */
export interface ServiceTable<Methods extends { readonly [M in keyof Methods]: MethodTypes }> {
  /** The full protobuf name, as `tikvpb.Tikv`. */
  readonly name: string;
  readonly methods: {
    readonly [M in keyof Methods]: MethodRow<Methods[M]["request"], Methods[M]["response"]>;
  };
}
