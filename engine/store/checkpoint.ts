/**
 * When the applied state is written to disk as a whole, and what may be forgotten afterwards.
 */
import type { LogIndex, RegionId } from "../base/ids.ts";
import * as tree from "../base/tree.ts";
import { firstIndex, termAt } from "../raft/query.ts";
import { isInitialized } from "../region/descriptor.ts";
import { drive } from "../region/drive.ts";
import { encodeReplica, encodeTombstone } from "../region/meta.ts";
import { regionId, type Replica, withReplica } from "../region/replica.ts";
import { valuesOf } from "../storage/kv.ts";
import type { Checkpoint, CheckpointGroup } from "../storage/types.ts";
import type { StoreTurn } from "./turn.ts";

/** This instant, if enough has been logged since the last one was written. */
export function dueCheckpoint(turn: StoreTurn): Checkpoint | undefined {
  const due = turn.wantsCheckpoint || turn.loggedBytes >= turn.before.config.checkpointLogBytes;
  if (turn.checkpointing || !due || turn.identity === undefined) return undefined;
  const groups = turn.replicas
    .all()
    .filter(({ region }) => isInitialized(region))
    .map((replica) => groupOf(turn, replica));
  const tombstones = [...tree.entries(turn.replicas.done().tombstones)].map(
    ([, tombstone]): CheckpointGroup => ({
      region: tombstone.region,
      applied: 0 as LogIndex,
      appliedTerm: 0 as CheckpointGroup["appliedTerm"],
      meta: encodeTombstone(tombstone, turn.wire),
    }),
  );
  return { groups: mergeById(groups, tombstones), kv: valuesOf(turn.data.done()) };
}

const groupOf = (turn: StoreTurn, replica: Replica): CheckpointGroup => ({
  region: regionId(replica),
  applied: replica.applied,
  appliedTerm: replica.appliedTerm,
  meta: encodeReplica(replica.region, replica.peer.id, turn.wire),
});

/** A region that is here again needs no tombstone: its own peer id is the newer one. */
function mergeById(
  groups: readonly CheckpointGroup[],
  tombstones: readonly CheckpointGroup[],
): readonly CheckpointGroup[] {
  const here = new Set(groups.map(({ region }) => region));
  return [...groups, ...tombstones.filter(({ region }) => !here.has(region))].sort(
    (a, b) => a.region - b.region,
  );
}

/** A checkpoint is durable: each group forgets what it holds, but for a tail for slow followers. */
export function onCheckpointed(turn: StoreTurn, groups: readonly CheckpointGroup[]): void {
  turn.checkpointing = false;
  for (const { region, applied } of groups) compact(turn, region, applied);
}

function compact(turn: StoreTurn, region: RegionId, applied: LogIndex): void {
  const replica = turn.replicas.get(region);
  if (replica === undefined || applied === 0) return;
  if (replica.splitAt > 0 && replica.splitAt <= applied) {
    turn.replicas.put(withReplica(replica, { splitAt: 0 as LogIndex }));
  }
  trim(turn, region, applied);
}

function trim(turn: StoreTurn, region: RegionId, applied: LogIndex): void {
  const replica = turn.replicas.get(region);
  if (replica === undefined) return;
  const index = (Math.min(applied, replica.applied) - turn.config.retainedEntries) as LogIndex;
  if (index < firstIndex(replica.raft)) return;
  const term = termAt(replica.raft, index);
  if (term === undefined) return;
  turn.records.push({ type: "compact", region, index, term });
  drive(turn, replica, { type: "compact", index });
}
