/**
 * Splitting a region on a client's call: the placement driver gives the new ids, then the leader
 * proposes.
 */
import type { Key } from "../base/bytes.ts";
import { encodeMemcomparable } from "../base/memcomparable.ts";
import type { Ticket } from "../base/ids.ts";
import { type SplitRegionRequest, SplitRegionResponse } from "../protocol/gen/kvrpcpb.ts";
import type { AskBatchSplitResponse } from "../protocol/gen/pdpb.ts";
import { AskBatchSplitRequest } from "../protocol/gen/pdpb.ts";
import { isLeader } from "../raft/query.ts";
import { encodeEntry } from "../region/command.ts";
import { containsKey, epochOf } from "../region/descriptor.ts";
import { drive } from "../region/drive.ts";
import {
  epochNotMatch,
  keyNotInRegion,
  notLeader,
  type RegionError,
  regionErrorReply,
  serverIsBusy,
} from "../region/errors.ts";
import { type Replica, regionId } from "../region/replica.ts";
import { splitKeys } from "../region/split.ts";
import { reply } from "../region/turn.ts";
import { header } from "./header.ts";
import type { Purpose } from "./state.ts";
import { ask, type StoreTurn } from "./turn.ts";

type SplitPurpose = Extract<Purpose, { type: "split" }>;

export function onSplitCall(
  turn: StoreTurn,
  replica: Replica,
  ticket: Ticket,
  request: SplitRegionRequest,
): void {
  const named = request.splitKeys.length > 0 ? request.splitKeys : [request.splitKey];
  const wanted = request.isRawKv ? named : named.map(encodeMemcomparable);
  const stray = wanted.find((key) => !containsKey(replica.region, key));
  if (stray !== undefined) {
    failSplit(turn, ticket, keyNotInRegion(stray, replica.region));
    return;
  }
  const keys = splitKeys(replica.region, wanted);
  if (keys.length === 0) {
    const response = SplitRegionResponse.make({ regions: [replica.region] });
    reply(turn, ticket, { method: "SplitRegion", response });
    return;
  }
  askForIds(turn, replica, ticket, keys);
}

function askForIds(turn: StoreTurn, replica: Replica, ticket: Ticket, keys: readonly Key[]): void {
  const { version, confVer } = epochOf(replica.region);
  ask(
    turn,
    { type: "split", region: regionId(replica), ticket, keys, version, confVer },
    {
      method: "AskBatchSplit",
      request: AskBatchSplitRequest.make({
        header: header(turn),
        region: replica.region,
        splitCount: keys.length,
      }),
    },
  );
}

/** The placement driver has answered, or not (`response` undefined). */
export function onSplitIds(
  turn: StoreTurn,
  purpose: SplitPurpose,
  response: AskBatchSplitResponse | undefined,
): void {
  const { ticket, keys } = purpose;
  if (response === undefined || response.ids.length !== keys.length) {
    failSplit(turn, ticket, serverIsBusy("the placement driver gave no ids for a split", 500));
    return;
  }
  const replica = turn.replicas.get(purpose.region);
  if (replica === undefined || !isLeader(replica.raft)) {
    failSplit(turn, ticket, notLeader(purpose.region, undefined));
    return;
  }
  const { version, confVer } = epochOf(replica.region);
  if (version !== purpose.version || confVer !== purpose.confVer) {
    failSplit(turn, ticket, epochNotMatch([replica.region]));
    return;
  }
  const parts = keys.map((key, i) => {
    const ids = response.ids[i];
    return { key, region: ids?.newRegionId ?? 0, peers: ids?.newPeerIds ?? [] };
  });
  if (parts.some(({ peers }) => peers.length !== replica.region.peers.length)) {
    failSplit(turn, ticket, serverIsBusy("ids for a split do not match the region's peers", 500));
    return;
  }
  const data = encodeEntry({ type: "split", version, confVer, parts }, turn.wire);
  const part = { ticket, method: "SplitRegion", commands: 0 } as const;
  drive(turn, replica, { type: "propose", commands: [data] }, [{ data, parts: [part] }]);
}

const failSplit = (turn: StoreTurn, ticket: Ticket, error: RegionError): void =>
  reply(turn, ticket, regionErrorReply("SplitRegion", error));
