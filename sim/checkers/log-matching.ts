/**
 * Log matching: entries of equal index and term are equal, and so are all before them (Raft paper,
 * figure 3). Each entry is compared once on each member, with the term of the one before it; the
 * rest follows by induction.
 */
import type { LogIndex } from "../../engine/base/ids.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import type { Entry } from "../../engine/raft/types.ts";
import type { World } from "../model.ts";
import type { Group, Member } from "./group.ts";
import { entryAt, termAt } from "../../engine/raft/log.ts";
import { passed, violated } from "./verdict.ts";
import { entryKey, nameOf } from "./group.ts";

/** Entries remembered of a group; the older half is forgotten above that. */
const MOST_ENTRIES = 20_000;

export function checkLog(
  world: World,
  group: Group,
  member: Member,
  before: RaftState | undefined,
  raft: RaftState,
): void {
  const { log } = raft;
  if (before !== undefined && before.log === log) return;
  const unchanged = termAt(log, member.logIndex as LogIndex) === member.logTerm;
  const from = Math.max(unchanged ? member.logIndex + 1 : 0, log.base + 1);
  let previousTerm = from <= log.last ? (termAt(log, (from - 1) as LogIndex) ?? 0) : 0;
  for (let index = from; index <= log.last; index++) {
    const entry = entryAt(log, index as LogIndex);
    const key = entryKey(index, entry.term);
    const hash = hashOf(entry, previousTerm);
    const known = group.entries.get(key);
    if (known === undefined) {
      group.entries.set(key, hash);
    } else if (known !== hash) {
      violated(
        world,
        "log matching",
        `${nameOf(group, member)} holds entry ${index} of term ${entry.term} with other contents, ` +
          `or behind another entry, than a member before it`,
      );
      return;
    }
    previousTerm = entry.term;
  }
  passed(world, "log matching", Math.max(0, log.last - from + 1));
  member.logIndex = log.last;
  member.logTerm = termAt(log, log.last) ?? 0;
  if (group.entries.size > MOST_ENTRIES) forgetHalf(group);
}

function hashOf(entry: Entry, previousTerm: number): number {
  const { data } = entry;
  let hash = Math.imul(previousTerm ^ 0x9e3779b9, 0x85ebca6b) ^ (entry.type === "normal" ? 1 : 2);
  for (let i = 0; i < data.length; i++) {
    hash = Math.imul(hash ^ (data[i] as number), 0x01000193);
  }
  return hash ^ data.length;
}

/** Maps keep the order of insertion: the first half is the oldest. */
function forgetHalf(group: Group): void {
  let left = MOST_ENTRIES / 2;
  for (const key of group.entries.keys()) {
    if (left === 0) break;
    group.entries.delete(key);
    left -= 1;
  }
}
