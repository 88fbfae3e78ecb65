/**
 * When the applied state is frozen to be flushed, with which marks, and what may be forgotten once
 * it is durable.
 */
import { type LogIndex, previousIndex } from "../base/ids.ts";
import * as tree from "../base/tree.ts";
import { firstIndex, progress, termAt } from "../raft/query.ts";
import { isInitialized } from "../region/descriptor.ts";
import { drive } from "../region/drive.ts";
import { encodeTombstone } from "../region/meta.ts";
import { type Replica, regionId, withReplica } from "../region/replica.ts";
import { markOf } from "../region/snapshot/restore.ts";
import type { GroupMark } from "../storage/lsm/types.ts";
import { stackOf } from "../storage/state.ts";
import { isTight } from "./line.ts";
import type { StoreTurn } from "./turn.ts";

/**
 * How far everything applied goes at this moment: a mark for each replica with data, and one with
 * `applied` 0 for each tombstone.
 */
export function marksOf(turn: StoreTurn): readonly GroupMark[] {
  const marks = turn.replicas
    .all()
    .filter(({ region }) => isInitialized(region))
    .map((replica) => markOf(turn, replica));
  const here = new Set(marks.map(({ region }) => region));
  for (const [, tombstone] of tree.entries(turn.replicas.done().tombstones)) {
    // A region that is here again needs no tombstone: its own peer id is the newer one.
    if (here.has(tombstone.region)) continue;
    marks.push({
      region: tombstone.region,
      applied: 0 as LogIndex,
      appliedTerm: 0 as GroupMark["appliedTerm"],
      meta: encodeTombstone(tombstone, turn.wire),
    });
  }
  return marks.sort((a, b) => a.region - b.region);
}

/**
 * Whether the memtable should be frozen now: it is full, or nothing is being flushed and somebody
 * waits for that, or the log would grow too long.
 */
export function isFreezeDue(turn: StoreTurn): boolean {
  if (turn.identity === undefined) return false;
  const { config } = turn.before;
  const { memtable, layers } = stackOf(turn.storage);
  if (memtable.bytes >= config.memtableBytes) return true;
  return layers.length === 0 && (turn.wantsFreeze || turn.loggedBytes >= config.freezeLogBytes);
}

/** These marks are durable: each group forgets what they hold. */
export function onFlushed(turn: StoreTurn, marks: readonly GroupMark[]): void {
  for (const { region, applied } of marks) {
    const replica = turn.replicas.get(region);
    if (replica === undefined || applied === 0) continue;
    const splitAt = replica.splitAt <= applied ? (0 as LogIndex) : replica.splitAt;
    const flushed = withReplica(replica, { splitAt, flushed: applied });
    turn.replicas.put(flushed);
    forget(turn, flushed, forgettable(turn, replica, applied));
  }
}

/**
 * Memory has become short since the last flush: groups forget at once what it holds. The tails that
 * it has left them may be all that keeps writes out, and then no other flush would ever come.
 */
export function forgetTails(turn: StoreTurn): void {
  for (const replica of turn.replicas.all()) {
    const { flushed } = replica;
    if (flushed > 0) forget(turn, replica, forgettable(turn, replica, flushed));
  }
}

function forget(turn: StoreTurn, replica: Replica, index: LogIndex | undefined): void {
  const term = index === undefined ? undefined : termAt(replica.raft, index);
  if (index === undefined || term === undefined) return;
  turn.records.push({ type: "compact", region: regionId(replica), index, term });
  if (index >= firstIndex(replica.raft)) drive(turn, replica, { type: "compact", index });
}

/**
 * Up to where the group's log may go now that everything up to `applied` is flushed; undefined
 * where there is nothing new to forget. A tail stays for slow followers, but not in a group that
 * has applied nothing since the flush before: it would hold the log's segments for ever. And what
 * follows a snapshot stays as long as its tables do: whoever takes them goes on from there, and
 * would need the next snapshot, of yet more data, where writes are faster than tables are made.
 */
function forgettable(turn: StoreTurn, replica: Replica, applied: LogIndex): LogIndex | undefined {
  const { raft, flushed, extraction } = replica;
  const isIdle = flushed === applied && replica.applied === applied;
  const isShort = isTight(turn);
  const kept = isIdle || isShort ? neededElsewhere(turn, replica) : turn.config.retainedEntries;
  const tail = Math.min(applied, replica.applied) - kept;
  const offered = isShort ? undefined : extraction?.index;
  const index = (offered === undefined ? tail : Math.min(tail, offered)) as LogIndex;
  if (index >= firstIndex(raft)) return index;
  // A snapshot that began the log lies in it too, and is not needed either any more.
  const base = previousIndex(firstIndex(raft));
  return flushed < base && base <= applied ? base : undefined;
}

/** How many of its last entries some follower that lives has not got. */
function neededElsewhere(turn: StoreTurn, { raft, applied }: Replica): number {
  let least: number = applied;
  for (const { matched, heardMs } of progress(raft)) {
    if (turn.now.monotonicMs - heardMs < turn.config.downAfterMs) least = Math.min(least, matched);
  }
  return applied - least;
}
