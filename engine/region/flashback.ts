/**
 * A region that is being flashed back (`mvcc/command/flashback.ts`) is closed for everybody else:
 * by an entry of its log, so on all replicas at the same place, and until another one opens it.
 *
 * Closing it raises the region's version. Whatever was checked before, and lies in the log behind
 * that entry or waits to be read behind it, is void by that.
 */
import type { Timestamp } from "../base/timestamp.ts";
import { Region, RegionEpoch } from "../protocol/gen/metapb.ts";
import type { TikvCall } from "../protocol/services.ts";
import type { FlashbackEntry } from "./command.ts";
import { epochOf } from "./descriptor.ts";
import { flashbackInProgress, type RegionError } from "./errors.ts";
import type { Outcome } from "./propose.ts";
import { type Replica, regionId, withReplica } from "./replica.ts";
import { noteNews, type Turn } from "./turn.ts";

export function applyFlashback(
  turn: Turn,
  replica: Replica,
  { version, startTs }: FlashbackEntry,
): { readonly replica: Replica; readonly outcome: Outcome } {
  const { region } = replica;
  const epoch = epochOf(region);
  if (version !== epoch.version) {
    return { replica, outcome: { type: "void", currentRegions: [region] } };
  }
  const isClosed = startTs !== 0n;
  const changed = withReplica(replica, {
    region: Region.make({
      ...region,
      regionEpoch: RegionEpoch.make({ ...epoch, version: version + (isClosed ? 1 : 0) }),
      isInFlashback: isClosed,
      flashbackStartTs: startTs,
    }),
  });
  turn.replicas.put(changed);
  noteNews(turn, regionId(changed));
  return { replica: changed, outcome: { type: "write" } };
}

/** Whether the region is closed for the flashback that began at `startTs`. */
export const isClosedFor = ({ region }: Replica, startTs: Timestamp | bigint): boolean =>
  region.isInFlashback && region.flashbackStartTs === startTs;

/**
 * Why a closed region does not serve `call`, if it does not. Reads from before the flashback see
 * nothing of it.
 */
export function closedFor({ region }: Replica, call: TikvCall): RegionError | undefined {
  if (!region.isInFlashback) return undefined;
  switch (call.method) {
    case "KvPrepareFlashbackToVersion":
    case "KvFlashbackToVersion":
      return undefined;
    case "KvGet":
    case "KvBatchGet":
    case "KvScan":
      if (call.request.version < region.flashbackStartTs) return undefined;
      return flashbackInProgress(region);
    default:
      return flashbackInProgress(region);
  }
}
