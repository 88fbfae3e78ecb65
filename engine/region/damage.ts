/**
 * Data that cannot be trusted. Reading notes it beside the answer; whoever has read asks here
 * before anything is made of that answer. Every replica whose range meets the damage is taken out
 * of service: it is remembered durably as damaged, serves nobody, gives up leadership and wants a
 * snapshot, which replaces all of its range. What nobody has whole stays named.
 */
import { EMPTY_KEY } from "../base/bytes.ts";
import type { RegionId } from "../base/ids.ts";
import type { Clear, TableDamage } from "../storage/table/types.ts";
import { overlaps } from "./descriptor.ts";
import { type Damaged, type Replica, regionId, withReplica } from "./replica.ts";
import type { Turn } from "./turn.ts";

/** Whether what was read since the last call can be trusted. What cannot is kept in the turn. */
export function isSound(turn: Turn): boolean {
  const found = turn.tables.takeDamage();
  if (found.length === 0) return true;
  turn.damage.push(...found);
  return false;
}

/** The replicas in service that `damage` concerns. */
export const concerned = (turn: Turn, { start, end }: TableDamage): readonly Replica[] =>
  turn.replicas
    .overlapping(start, end)
    .filter(
      ({ damaged, region }) =>
        damaged === undefined && overlaps(region, { startKey: start, endKey: end }),
    );

/**
 * What of `damage` that a compaction has met somebody may still see. A block, or a whole table,
 * may lie across many regions, and those that have been replaced since see nothing of it. Were they
 * taken out of service with the others, each replacement would let the next compaction begin that
 * takes out all of them again.
 */
export const exposed = (turn: Turn, damage: TableDamage): readonly TableDamage[] =>
  concerned(turn, damage).flatMap(({ region: { startKey, endKey } }) => {
    const part = intersection(damage, { start: startKey, end: endKey });
    return turn.data.isExposed(damage, part) ? [{ ...damage, ...part }] : [];
  });

const intersection = (a: Clear, b: Clear): Clear => ({
  start: a.start > b.start ? a.start : b.start,
  end: a.end === EMPTY_KEY || (b.end !== EMPTY_KEY && b.end < a.end) ? b.end : a.end,
});

/** A replica that was found to be damaged before the store was started. */
export const quarantinedBefore = (replica: Replica, nowMs: number): Replica =>
  withReplica(replica, {
    damaged: { file: "", offset: 0, detail: "found before this start", sinceMs: nowMs },
  });

/** One damaged replica, for people. */
export interface DamageReport extends Damaged {
  readonly region: RegionId;
}

export const damageOf = (replica: Replica): readonly DamageReport[] =>
  replica.damaged === undefined ? [] : [{ region: regionId(replica), ...replica.damaged }];
