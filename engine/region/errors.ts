/**
 * The `errorpb` answers: each tells the client why this store can't serve it, and where to go.
 */
import type { Key } from "../base/bytes.ts";
import {
  DataIsNotReady,
  DiskFull,
  EpochNotMatch,
  Error as RegionError,
  FlashbackInProgress,
  FlashbackNotPrepared,
  KeyNotInRegion,
  MaxTimestampNotSynced,
  MismatchPeerId,
  NotLeader,
  RaftEntryTooLarge,
  ReadIndexNotReady,
  RegionNotFound,
  RegionNotInitialized,
  ServerIsBusy,
  StaleCommand,
  StoreNotMatch,
  UndeterminedResult,
} from "../protocol/gen/errorpb.ts";
import type { Peer, Region } from "../protocol/gen/metapb.ts";
import { TIKV_SERVICE, type TikvReply } from "../protocol/services.ts";

export type { RegionError };

/** The reply to a call of `method` that ends in a region error. */
export const regionErrorReply = (
  method: TikvReply["method"],
  regionError: RegionError,
): TikvReply =>
  // Every response of the service has this field; the table loses which response is whose.
  ({ method, response: TIKV_SERVICE.methods[method].response.make({ regionError }) }) as TikvReply;

export const notLeader = (regionId: number, leader: Peer | undefined): RegionError =>
  RegionError.make({
    message: `peer is not leader for region ${regionId}, leader may ${
      leader === undefined ? "None" : `Some(peer ${leader.id} on store ${leader.storeId})`
    }`,
    notLeader: NotLeader.make({ regionId, leader }),
  });

export const regionNotFound = (regionId: number): RegionError =>
  RegionError.make({
    message: `region ${regionId} is not found`,
    regionNotFound: RegionNotFound.make({ regionId }),
  });

export const regionNotInitialized = (regionId: number): RegionError =>
  RegionError.make({
    message: `region ${regionId} is not initialized yet`,
    regionNotInitialized: RegionNotInitialized.make({ regionId }),
  });

export const epochNotMatch = (currentRegions: readonly Region[]): RegionError =>
  RegionError.make({
    message: "epoch not match",
    epochNotMatch: EpochNotMatch.make({ currentRegions }),
  });

export const keyNotInRegion = (key: Key, region: Region): RegionError =>
  RegionError.make({
    message: `key is not in region ${region.id}`,
    keyNotInRegion: KeyNotInRegion.make({
      key,
      regionId: region.id,
      startKey: region.startKey,
      endKey: region.endKey,
    }),
  });

export const storeNotMatch = (requestStoreId: number, actualStoreId: number): RegionError =>
  RegionError.make({
    message: `store id ${requestStoreId} does not match: this is store ${actualStoreId}`,
    storeNotMatch: StoreNotMatch.make({ requestStoreId, actualStoreId }),
  });

export const mismatchPeerId = (requestPeerId: number, storePeerId: number): RegionError =>
  RegionError.make({
    message: `mismatch peer id ${requestPeerId} != ${storePeerId}`,
    mismatchPeerId: MismatchPeerId.make({ requestPeerId, storePeerId }),
  });

export const staleCommand = (): RegionError =>
  RegionError.make({ message: "stale command", staleCommand: StaleCommand.make() });

export const serverIsBusy = (reason: string, backoffMs: number): RegionError =>
  RegionError.make({
    message: `server is busy, reason: ${reason}`,
    serverIsBusy: ServerIsBusy.make({ reason, backoffMs }),
  });

export const raftEntryTooLarge = (regionId: number, entrySize: number): RegionError =>
  RegionError.make({
    message: `raft entry is too large, region ${regionId}, entry size ${entrySize}`,
    raftEntryTooLarge: RaftEntryTooLarge.make({ regionId, entrySize }),
  });

export const readIndexNotReady = (regionId: number, reason: string): RegionError =>
  RegionError.make({
    message: `read index not ready, reason ${reason}, region ${regionId}`,
    readIndexNotReady: ReadIndexNotReady.make({ reason, regionId }),
  });

/** Not everything at or below the read's timestamp is known to be settled here. */
export const dataIsNotReady = (regionId: number, peerId: number, safeTs: bigint): RegionError =>
  RegionError.make({
    message: `data is not ready, region ${regionId}, peer ${peerId}, safe timestamp ${safeTs}`,
    dataIsNotReady: DataIsNotReady.make({ regionId, peerId, safeTs }),
  });

export const maxTimestampNotSynced = (): RegionError =>
  RegionError.make({
    message: "the greatest timestamp read before this leader's term is not known yet",
    maxTimestampNotSynced: MaxTimestampNotSynced.make(),
  });

/** The timestamp lies further ahead than the oracle can have come. Clients know the first words. */
export const invalidMaxTs = (attempted: bigint, limitMs: number): RegionError =>
  RegionError.make({
    message: `invalid max_ts update: ${attempted} is beyond what the oracle gives, which is at most ${limitMs} ms`,
  });

export const flashbackInProgress = ({ id, flashbackStartTs }: Region): RegionError =>
  RegionError.make({
    message: `region ${id} is in flashback progress, FlashbackStartTS is ${flashbackStartTs}`,
    flashbackInProgress: FlashbackInProgress.make({ regionId: id, flashbackStartTs }),
  });

export const flashbackNotPrepared = (regionId: number): RegionError =>
  RegionError.make({
    message: `region ${regionId} is not prepared for the flashback`,
    flashbackNotPrepared: FlashbackNotPrepared.make({ regionId }),
  });

export const diskFull = (storeId: number, reason: string): RegionError =>
  RegionError.make({
    message: `disk full: ${reason}`,
    diskFull: DiskFull.make({ storeId: [storeId], reason }),
  });

/** The write may or may not have happened, and this store can't find out any more. */
export const undetermined = (message: string): RegionError =>
  RegionError.make({ message, undeterminedResult: UndeterminedResult.make({ message }) });
