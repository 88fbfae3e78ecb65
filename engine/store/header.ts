/** The header of every question to the placement driver. */
import { RequestHeader } from "../protocol/gen/pdpb.ts";
import type { StoreTurn } from "./turn.ts";

/** The cluster id is 0 until it is known, as all clients do. */
export function header(turn: StoreTurn): RequestHeader {
  const { registration, identity } = turn;
  const heard = registration.type === "get_store_id" ? registration.cluster : 0n;
  return RequestHeader.make({ clusterId: identity?.cluster ?? heard });
}
