/** Regions and stores for the tests of this folder. */
import type { Key } from "../../engine/base/bytes.ts";
import { Peer, PeerRole, Region, Store } from "../../engine/protocol/gen/metapb.ts";
import { unheard } from "../../engine/placement/catalog/registry.ts";
import type { RegionInfo } from "../../engine/placement/catalog/registry.ts";

export const key = (text: string): Key => text as Key;

export const voter = (id: number, storeId: number): Peer => Peer.make({ id, storeId });

export const learner = (id: number, storeId: number): Peer =>
  Peer.make({ id, storeId, role: PeerRole.Learner });

export interface RegionShape {
  readonly id: number;
  readonly start?: string;
  readonly end?: string;
  readonly version?: number;
  readonly confVer?: number;
  readonly peers?: readonly Peer[];
}

export function regionOf(shape: RegionShape): Region {
  return Region.make({
    id: shape.id,
    startKey: key(shape.start ?? ""),
    endKey: key(shape.end ?? ""),
    regionEpoch: { version: shape.version ?? 1, confVer: shape.confVer ?? 1 },
    peers: shape.peers ?? [voter(shape.id * 10, 1)],
  });
}

/** `shape` as its first peer reports it. */
export function heardOf(shape: RegionShape, changes: Partial<RegionInfo> = {}): RegionInfo {
  const info = unheard(regionOf(shape));
  return { ...info, leader: info.region.peers[0], term: 6, ...changes };
}

export const storeOf = (id: number, changes: Partial<Store> = {}): Store =>
  Store.make({ id, address: `store-${id}:20160`, version: "8.5.0", nodeState: 1, ...changes });
