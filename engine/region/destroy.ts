/** The end of a replica on this store: its data goes, a tombstone stays. */
import { COLUMN_FAMILIES } from "../storage/types.ts";
import type { Key } from "../base/bytes.ts";
import { isInitialized } from "./descriptor.ts";
import { regionNotFound, undetermined } from "./errors.ts";
import { withoutExtraction } from "./snapshot/extraction.ts";
import { encodeTombstone } from "./meta.ts";
import { refuseReads } from "./reads.ts";
import { fail } from "./propose.ts";
import { withoutIncoming } from "./snapshot/receive.ts";
import { type Replica, regionId } from "./replica.ts";
import type { Turn } from "./turn.ts";

/**
 * Whether the replica's log may be forgotten. The regions split from it have their data from its
 * log until the split is flushed; before that it may neither be destroyed nor replaced by a
 * snapshot. Asks for the flush where it may not.
 */
export function canLeave(turn: Turn, replica: Replica): boolean {
  if (replica.splitAt === 0) return true;
  turn.wantsFreeze = true;
  return false;
}

/** Destroys `replica`, which was removed from its region at `epoch` or before. */
export function destroy(
  turn: Turn,
  replica: Replica,
  epoch: { readonly confVer: number; readonly version: number },
): void {
  const region = regionId(replica);
  const tombstone = {
    region,
    peer: replica.peer.id,
    confVer: epoch.confVer,
    version: epoch.version,
  };
  turn.records.push({ type: "destroy", region, meta: encodeTombstone(tombstone, turn.wire) });
  if (isInitialized(replica.region)) {
    clearRange(turn, replica.region.startKey, replica.region.endKey);
  }
  abandon(turn, withoutIncoming(turn, withoutExtraction(turn, replica).replica));
  turn.replicas.remove(replica, tombstone);
  turn.effects.push({
    type: "log",
    level: "info",
    message: "replica destroyed",
    fields: { region, peer: replica.peer.id, confVer: epoch.confVer, version: epoch.version },
  });
}

/** Tells everyone who waits for this replica that it has no more answers. */
function abandon(turn: Turn, replica: Replica): void {
  for (const { parts } of replica.pending) {
    for (const part of parts) fail(turn, part, undetermined("the replica was removed"));
  }
  for (const waiting of replica.reads) {
    refuseReads(turn, waiting, regionNotFound(replica.region.id));
  }
}

/** Drops all data in [start, end). */
export function clearRange(turn: Pick<Turn, "data">, start: Key, end: Key): void {
  for (const cf of COLUMN_FAMILIES) turn.data.perform({ type: "delete_range", cf, start, end });
}
