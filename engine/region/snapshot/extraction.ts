/**
 * The tables made of a region for followers that need a snapshot: one table a family, of one
 * instant, shared by all who ask while they are new enough, and released when nobody does any more.
 *
 * They are ordered behind a freeze, so that what is applied by then is in them; the store does both
 * at the end of a turn.
 */
import { assert } from "../../base/assert.ts";
import type { LogIndex, Ticket } from "../../base/ids.ts";
import type { Region } from "../../protocol/gen/metapb.ts";
import { firstIndex } from "../../raft/query.ts";
import type { RaftInput } from "../../raft/types.ts";
import type { GroupMark, JobFailure } from "../../storage/lsm/types.ts";
import type { TableMeta } from "../../storage/table/types.ts";
import { configurationOf, epochOf, peerById } from "../descriptor.ts";
import { decodeMeta } from "../meta.ts";
import { type Extraction, type OutgoingSnapshot, type Replica, withReplica } from "../replica.ts";
import type { SnapshotHead } from "./head.ts";
import type { Turn } from "../turn.ts";

/** A replica, and what its Raft group must hear of transfers that have ended. */
export interface Sent {
  readonly replica: Replica;
  readonly inputs: readonly RaftInput[];
}

/** What Raft hears of a transfer that has ended. */
export const ended = ({ to, atLeast, sending }: OutgoingSnapshot, ok: boolean): RaftInput => ({
  type: "snapshot_sent",
  peer: to,
  index: sending?.index ?? atLeast,
  ok,
});

/** How long made tables are kept for the next follower, in milliseconds. */
const KEPT_MS = 10_000;

/** Wants tables where a transfer waits for some, and releases those that nobody needs. */
export function pursueExtraction(turn: Turn, replica: Replica): Replica {
  const { extraction, outgoing } = replica;
  const now = turn.now.monotonicMs;
  const isUsed = outgoing.some(({ sending }) => sending !== undefined);
  const waiting = outgoing.filter(({ sending }) => sending === undefined);
  if (extraction === undefined) {
    const { region, applied } = replica;
    if (!waiting.some((snapshot) => isEnoughFor(snapshot, region, applied))) return replica;
    turn.wantsFreeze = true;
    const index = applied;
    return withExtraction(replica, { ticket: undefined, index, made: undefined, usedAt: now });
  }
  const { made, ticket } = extraction;
  if (made === undefined) {
    if (ticket === undefined) turn.wantsFreeze = true;
    return replica;
  }
  if (isUsed) return extraction.usedAt === now ? replica : used(replica, extraction, now);
  const { index } = made.metadata;
  const isRecent = isCurrent(replica, made);
  if (isRecent && waiting.some((snapshot) => isEnoughFor(snapshot, made.region, index))) {
    return used(replica, extraction, now);
  }
  if (isRecent && waiting.length === 0 && now - extraction.usedAt < KEPT_MS) return replica;
  if (ticket !== undefined) turn.tree.release(ticket);
  return pursueExtraction(turn, withExtraction(replica, undefined));
}

/**
 * Whether tables made before are of use to a transfer that begins now: who takes them must be able
 * to go on with what is in the log, and may have the regions that were split off since.
 */
export const isCurrent = ({ raft, region }: Replica, made: SnapshotHead): boolean =>
  made.metadata.index + 1 >= firstIndex(raft) &&
  epochOf(made.region).version === epochOf(region).version;

/** Whether what `region` holds at `index` is what the follower needs, and has a place for it. */
export const isEnoughFor = (
  { to, atLeast }: OutgoingSnapshot,
  region: Region,
  index: LogIndex,
): boolean => index >= atLeast && peerById(region, to) !== undefined;

const used = (replica: Replica, extraction: Extraction, now: number): Replica =>
  withExtraction(replica, { ...extraction, usedAt: now });

const withExtraction = (replica: Replica, extraction: Extraction | undefined): Replica =>
  withReplica(replica, { extraction });

/** The tables have been ordered under this ticket. */
export function ordered(replica: Replica, ticket: Ticket): Replica {
  const { extraction } = replica;
  assert(extraction !== undefined && extraction.ticket === undefined, "tables are ordered once");
  return withExtraction(replica, { ...extraction, ticket, index: replica.applied });
}

/** The tables are there, as of `mark`. */
export function onExtracted(
  turn: Turn,
  replica: Replica,
  mark: GroupMark,
  tables: readonly TableMeta[],
): Replica {
  const { extraction } = replica;
  assert(extraction?.ticket !== undefined, "what was made had been ordered");
  const meta = decodeMeta(mark.meta, turn.wire);
  assert(meta.type === "replica", "tables are made of a region");
  const { region } = meta;
  const configuration = configurationOf(region);
  const metadata = { index: mark.applied, term: mark.appliedTerm, configuration };
  const made = { region, metadata, tables, safePoint: turn.safePoint };
  const usedAt = turn.now.monotonicMs;
  return withExtraction(replica, { ...extraction, made, usedAt });
}

/** The tables could not be made: who waits for them asks again. */
export function onExtractFailed(turn: Turn, replica: Replica, failure: JobFailure): Sent {
  if (failure.damage !== undefined) turn.damage.push(failure.damage);
  return endAll(withExtraction(replica, undefined));
}

/** The tables are given up, and with them all transfers. */
export function withoutExtraction(turn: Turn, replica: Replica): Sent {
  const ticket = replica.extraction?.ticket;
  if (ticket !== undefined) turn.tree.release(ticket);
  return endAll(withExtraction(replica, undefined));
}

/** Ends all transfers without success. */
export function endAll(replica: Replica): Sent {
  const inputs: readonly RaftInput[] = replica.outgoing.map((snapshot) => ended(snapshot, false));
  return { replica: withReplica(replica, { outgoing: [] }), inputs };
}
