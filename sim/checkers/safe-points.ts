/**
 * Whatever is committed after the safe point has moved lies above it: else a version could appear
 * under those that were collected, and be missed by whoever has read there. Judged for each change
 * in a log when it is first known to be committed, against the point as the placement driver has
 * it by then; a rollback, or a record that is put again for one, changes nothing.
 */
import type { LogIndex } from "../../engine/base/ids.ts";
import { timestampOfVersion } from "../../engine/mvcc/keys.ts";
import { decodeWrite, isChange } from "../../engine/mvcc/record/write.ts";
import { entryAt, termAt } from "../../engine/raft/log.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import { decodeEntry } from "../../engine/region/command.ts";
import type { World } from "../model.ts";
import { type Group, type Member, nameOf } from "./group.ts";
import { passed, violated } from "./verdict.ts";

/** The placement driver has moved the point, or not. */
export function noteSafePoint({ checks }: World, safePoint: bigint): void {
  if (safePoint > checks.safePoint) checks.safePoint = safePoint;
}

/** Looks at the entries from `from` on, which nobody had known to be committed before. */
export function checkAboveSafePoint(
  world: World,
  group: Group,
  member: Member,
  raft: RaftState,
  from: number,
): void {
  const { safePoint } = world.checks;
  if (safePoint === 0n || group.region === 0) return;
  for (let index = from; index <= raft.commit; index++) {
    if (index <= raft.log.base || termAt(raft.log, index as LogIndex) === undefined) continue;
    const { type, data } = entryAt(raft.log, index as LogIndex);
    if (type !== "normal" || data.length === 0) continue;
    const late = lateCommit(world, data, safePoint);
    if (late === undefined) continue;
    violated(
      world,
      "safe points",
      `${nameOf(group, member)} commits at ${late} by entry ${index}, when the safe point ` +
        `is ${safePoint} already`,
    );
    return;
  }
  passed(world, "safe points", Math.max(0, raft.commit - from + 1));
}

/** Where a change is committed at or below the point. */
function lateCommit(world: World, data: Uint8Array, safePoint: bigint): bigint | undefined {
  const entry = decodeEntry(data, world.wire);
  if (entry.type !== "write") return undefined;
  for (const operation of entry.operations) {
    if (operation.type !== "put" || operation.cf !== "write") continue;
    const commitTs = timestampOfVersion(operation.key);
    if (commitTs === undefined || commitTs > safePoint) continue;
    const decoded = decodeWrite(operation.value);
    if (!decoded.ok || !isChange(decoded.write) || decoded.write.overlappedRollback) continue;
    return commitTs;
  }
  return undefined;
}
