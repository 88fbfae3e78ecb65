/**
 * What a flush and a tombstone say about a replica.
 *
 *   replica     [0, descriptor (metapb.Region bytes), own peer id]
 *   tombstone   [1, region, peer, confVer, version]
 */
import { assert } from "../base/assert.ts";
import type { RegionId } from "../base/ids.ts";
import type { Wire } from "../base/wire.ts";
import { Region } from "../protocol/gen/metapb.ts";
import type { Tombstone } from "./registry.ts";

export type ReplicaMeta =
  | { readonly type: "replica"; readonly region: Region; readonly peer: number }
  | { readonly type: "tombstone"; readonly tombstone: Tombstone };

const REPLICA = 0;
const TOMBSTONE = 1;

export const encodeReplica = (region: Region, peer: number, wire: Wire): Uint8Array =>
  wire.encode([REPLICA, Region.encode(region), peer]);

export const encodeTombstone = (tombstone: Tombstone, wire: Wire): Uint8Array =>
  wire.encode([TOMBSTONE, tombstone.region, tombstone.peer, tombstone.confVer, tombstone.version]);

/** Decodes what came out of a checksummed file. */
export function decodeMeta(bytes: Uint8Array, wire: Wire): ReplicaMeta {
  const decoded = wire.decode(bytes);
  assert(decoded.ok && Array.isArray(decoded.value), "a replica's meta is a tuple");
  const [kind, first, second, third, fourth] = decoded.value as readonly unknown[];
  if (kind === TOMBSTONE) {
    const tombstone = {
      region: first as RegionId,
      peer: second as number,
      confVer: third as number,
      version: fourth as number,
    };
    return { type: "tombstone", tombstone };
  }
  assert(kind === REPLICA && first instanceof Uint8Array, "a replica's meta has a descriptor");
  const region = Region.decode(first);
  assert(region.ok, "a replica's descriptor is well formed");
  return { type: "replica", region: region.value, peer: second as number };
}
