/**
 * A new leader does not know at which timestamps its predecessor has read. It asks the oracle for
 * one, which is above them all, before it calculates any commit timestamp.
 */
import { idKey } from "../../base/big-endian.ts";
import type { RegionId, Term } from "../../base/ids.ts";
import { composeTimestamp } from "../../base/timestamp.ts";
import * as tree from "../../base/tree.ts";
import { TsoRequest, type TsoResponse } from "../../protocol/gen/pdpb.ts";
import { isLeader, term } from "../../raft/query.ts";
import { type Replica, regionId } from "../../region/replica.ts";
import { raise } from "../../transaction/concurrency.ts";
import { header } from "../header.ts";
import { ask, type StoreTurn } from "../turn.ts";
import { withParts } from "./parts.ts";

/** Asks on behalf of `replica` where it leads and has not been told in this term. */
export function seekMaxTs(turn: StoreTurn, replica: Replica): void {
  if (!isLeader(replica.raft) || turn.registration.type !== "joined") return;
  const region = regionId(replica);
  const current = term(replica.raft);
  if (tree.get(turn.transactions.synced, idKey(region)) === current) return;
  const asked = turn.asked.some(
    ({ purpose }) =>
      purpose.type === "max_timestamp" && purpose.region === region && purpose.term === current,
  );
  if (asked) return;
  const request = TsoRequest.make({ header: header(turn), count: 1 });
  ask(turn, { type: "max_timestamp", region, term: current }, { method: "Tso", request });
}

/** Undefined where the placement driver did not answer: it is asked again at the next tick. */
export function onMaxTs(
  turn: StoreTurn,
  region: RegionId,
  asked: Term,
  response: TsoResponse | undefined,
): void {
  const timestamp = response?.timestamp;
  const replica = turn.replicas.get(region);
  if (timestamp === undefined || replica === undefined || !isLeader(replica.raft)) return;
  if (term(replica.raft) !== asked) return;
  const { concurrency, synced } = turn.transactions;
  const { physical, logical } = timestamp;
  turn.transactions = withParts(turn.transactions, {
    concurrency: raise(concurrency, composeTimestamp(physical, logical)),
    synced: tree.set(synced, idKey(region), asked),
  });
}
