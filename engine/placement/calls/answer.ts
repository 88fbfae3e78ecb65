/** How a call may end, and the pieces that answers are made of. */
import { unreachable } from "../../base/assert.ts";
import type { Now } from "../../base/time.ts";
import { ErrorType, PD_SERVICE, ResponseHeader } from "../../protocol/gen/pdpb.ts";
import type { PdMethods } from "../../protocol/gen/pdpb.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Command, Refusal } from "../catalog/command.ts";
import type { PlacementConfig } from "../config.ts";
import type { Leadership } from "../leadership.ts";
import type { PlacementReply } from "../types.ts";

export type Answer =
  | { readonly type: "reply"; readonly reply: PlacementReply }
  /** With a gRPC status. */
  | { readonly type: "refuse"; readonly code: number; readonly message: string }
  /** The reply is made from the outcome, once the command is applied. */
  | { readonly type: "propose"; readonly command: Command }
  /** The leader lacks something that is under way (ids, a window): ask again in this same order. */
  | { readonly type: "later" };

/**
 * What the handlers of calls work with during one step. They replace `leadership`; the rest they
 * read.
 */
export interface Desk {
  readonly config: PlacementConfig;
  readonly now: Now;
  readonly catalog: Catalog;
  leadership: Leadership;
}

/** gRPC status codes. */
export const INVALID_ARGUMENT = 3;
export const FAILED_PRECONDITION = 9;
export const OUT_OF_RANGE = 11;
export const UNIMPLEMENTED = 12;
export const UNAVAILABLE = 14;

export const LATER: Answer = { type: "later" };

export const header = (catalog: Catalog): ResponseHeader => ({
  clusterId: catalog.clusterId ?? 0n,
  error: undefined,
});

type ReplyMethod = PlacementReply["method"];
type ResponseOf<M extends ReplyMethod> = Extract<
  PlacementReply,
  { readonly method: M }
>["response"];

export function reply<M extends ReplyMethod>(method: M, response: ResponseOf<M>): Answer {
  return { type: "reply", reply: { method, response } as PlacementReply };
}

/** A reply of `method`, whose response has a header, that carries nothing but an error in it. */
export function failure(
  catalog: Catalog,
  method: keyof PdMethods,
  reason: Refusal,
  message: string,
): Answer {
  const error = { type: errorType(reason), message };
  const response = PD_SERVICE.methods[method].response.make({
    header: { clusterId: catalog.clusterId ?? 0n, error },
  });
  return { type: "reply", reply: { method, response } as PlacementReply };
}

export const refuse = (code: number, message: string): Answer => ({
  type: "refuse",
  code,
  message,
});

export const propose = (command: Command): Answer => ({ type: "propose", command });

function errorType(reason: Refusal): ErrorType {
  switch (reason) {
    case "unknown":
      return ErrorType.UNKNOWN;
    case "not_bootstrapped":
      return ErrorType.NOT_BOOTSTRAPPED;
    case "already_bootstrapped":
      return ErrorType.ALREADY_BOOTSTRAPPED;
    case "store_tombstone":
      return ErrorType.STORE_TOMBSTONE;
    case "incompatible_version":
      return ErrorType.INCOMPATIBLE_VERSION;
    case "region_not_found":
      return ErrorType.REGION_NOT_FOUND;
    case "entry_not_found":
      return ErrorType.ENTRY_NOT_FOUND;
    case "invalid_value":
      return ErrorType.INVALID_VALUE;
    case "regions_not_contain_all_key_range":
      return ErrorType.REGIONS_NOT_CONTAIN_ALL_KEY_RANGE;
    default:
      return unreachable(reason);
  }
}
