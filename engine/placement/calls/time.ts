/** Calls for timestamps. The caller has made sure that this member alone leads now. */
import { GetMinTSResponse, Timestamp, TsoResponse } from "../../protocol/gen/pdpb.ts";
import type { SetExternalTimestampRequest, TsoRequest } from "../../protocol/gen/pdpb.ts";
import { header, INVALID_ARGUMENT, LATER, propose, refuse, reply } from "./answer.ts";
import type { Answer, Desk } from "./answer.ts";
import { withOracle } from "../leadership.ts";
import { follow, grant, LOGICAL_END } from "../oracle.ts";

/** Grants `request.count` timestamps; the answer names the largest. */
export function tso(desk: Desk, request: TsoRequest): Answer {
  const { count } = request;
  if (count === 0) return refuse(INVALID_ARGUMENT, "tso count should be positive");
  if (count >= LOGICAL_END) {
    return refuse(INVALID_ARGUMENT, `tso count ${count} is more than a millisecond has`);
  }
  const timestamp = granted(desk, count);
  if (timestamp === undefined) return LATER;
  return reply("Tso", TsoResponse.make({ header: header(desk.catalog), count, timestamp }));
}

/** There is one oracle, so its next timestamp is the least of all. */
export function getMinTs(desk: Desk): Answer {
  const timestamp = granted(desk, 1);
  if (timestamp === undefined) return LATER;
  return reply("GetMinTS", GetMinTSResponse.make({ header: header(desk.catalog), timestamp }));
}

function granted(desk: Desk, count: number): Timestamp | undefined {
  const { leadership } = desk;
  const result = grant(follow(leadership.oracle, desk.now), count);
  if (result === undefined) return undefined;
  desk.leadership = withOracle(leadership, result.oracle);
  return Timestamp.make(result.granted);
}

export const setExternalTimestamp = (request: SetExternalTimestampRequest): Answer =>
  propose({ type: "set_external_timestamp", timestamp: request.timestamp });

export const getExternalTimestamp = (desk: Desk): Answer =>
  reply("GetExternalTimestamp", {
    header: header(desk.catalog),
    timestamp: desk.catalog.externalTimestamp,
  });
