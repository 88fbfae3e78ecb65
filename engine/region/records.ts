/** Facts about a replica that go to the shared log outside of Raft's own writes. */
import { maxIndex } from "../base/ids.ts";
import type { HardState } from "../raft/types.ts";
import { type Replica, regionId } from "./replica.ts";
import type { Turn } from "./turn.ts";

/**
 * Makes what has been applied known as committed on disk. Needed before anything else is written
 * that rests on it: after a crash the log is applied again only as far as it is known committed.
 */
export function logCommit(turn: Turn, replica: Replica): void {
  turn.records.push({
    type: "append",
    region: regionId(replica),
    hardState: appliedHardState(replica),
    entries: [],
  });
}

/** The group's hard state, with what has been applied as committed. */
export function appliedHardState({ raft, applied }: Replica): HardState {
  const commit = maxIndex(raft.writtenHardState.commit, applied);
  return { term: raft.term, vote: raft.vote, commit };
}
