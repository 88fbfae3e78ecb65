/**
 * The two calls of a flashback on their way. The first closes its region before anything is
 * evaluated, the second opens it when everything is applied; each by an entry of its own. A call
 * that comes again finds how far the first one came.
 */
import { unreachable } from "../../base/assert.ts";
import type { Ticket } from "../../base/ids.ts";
import { Timestamp, ZERO_TIMESTAMP } from "../../base/timestamp.ts";
import type { MvccWrite } from "../../mvcc/calls.ts";
import { stageOfFlashback } from "../../mvcc/command/flashback.ts";
import {
  FlashbackToVersionResponse,
  PrepareFlashbackToVersionResponse,
} from "../../protocol/gen/kvrpcpb.ts";
import type { TikvReply } from "../../protocol/services.ts";
import { encodeEntry } from "../../region/command.ts";
import { epochOf } from "../../region/descriptor.ts";
import { drive } from "../../region/drive.ts";
import { flashbackNotPrepared, type RegionError } from "../../region/errors.ts";
import { isClosedFor } from "../../region/flashback.ts";
import type { Replica } from "../../region/replica.ts";
import type { KvView } from "../../storage/view.ts";
import type { StoreTurn } from "../turn.ts";

export type FlashbackCall = Extract<
  MvccWrite,
  { readonly method: "KvPrepareFlashbackToVersion" | "KvFlashbackToVersion" }
>;

export const isFlashback = (call: MvccWrite): call is FlashbackCall =>
  call.method === "KvPrepareFlashbackToVersion" || call.method === "KvFlashbackToVersion";

/** What is to be done about a call before its first part. */
export type Admission =
  /** Go on with the parts. */
  | { readonly type: "passes" }
  | { readonly type: "close_first" }
  | { readonly type: "open_only" }
  /** All of it has been done. */
  | { readonly type: "answer"; readonly reply: TikvReply }
  | { readonly type: "refuse"; readonly error: RegionError };

/** Judges `call` on `view`, which holds everything committed. */
export function admitFlashback(view: KvView, replica: Replica, call: FlashbackCall): Admission {
  const { region } = replica;
  const bounds = { start: region.startKey, end: region.endKey };
  const isClosed = isClosedFor(replica, call.request.startTs);
  const stage = stageOfFlashback(view, call.request, bounds);
  switch (call.method) {
    case "KvPrepareFlashbackToVersion": {
      // A request that comes late must not close the region for a flashback that is over.
      if (stage === "done") return { type: "answer", reply: doneReply(call) };
      return { type: isClosed ? "passes" : "close_first" };
    }
    case "KvFlashbackToVersion":
      if (isClosed && stage === "prepared") return { type: "passes" };
      if (stage === "done") {
        return isClosed ? { type: "open_only" } : { type: "answer", reply: doneReply(call) };
      }
      if (isClosed && stage === "empty") return { type: "open_only" };
      return { type: "refuse", error: flashbackNotPrepared(region.id) };
    default:
      return unreachable(call);
  }
}

/** Whether `response` says that everything is as it was. */
export const isFlashedBack = (call: MvccWrite, response: TikvReply): call is FlashbackCall =>
  call.method === "KvFlashbackToVersion" &&
  response.method === "KvFlashbackToVersion" &&
  response.response.error === "";

export function doneReply({ method }: FlashbackCall): TikvReply {
  return method === "KvFlashbackToVersion"
    ? { method, response: FlashbackToVersionResponse.make() }
    : { method, response: PrepareFlashbackToVersionResponse.make() };
}

/** Proposes the entry that closes the region for `call`, or opens it again. */
export function proposeGate(
  turn: StoreTurn,
  replica: Replica,
  ticket: Ticket,
  call: FlashbackCall,
  gate: "close" | "open",
): void {
  const startTs = gate === "close" ? Timestamp(call.request.startTs) : ZERO_TIMESTAMP;
  const { version } = epochOf(replica.region);
  const data = encodeEntry({ type: "flashback", version, startTs }, turn.wire);
  const part = { ticket, method: call.method, commands: 0 };
  drive(turn, replica, { type: "propose", commands: [data] }, [{ data, parts: [part] }]);
}

/** The call as one to the region as it is now: closing has raised the version. */
export function readdress<Call extends FlashbackCall>(call: Call, { region }: Replica): Call {
  const context = call.request.context;
  if (context === undefined) return call;
  const { regionEpoch } = region;
  return { ...call, request: { ...call.request, context: { ...context, regionEpoch } } };
}
