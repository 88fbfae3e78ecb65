/**
 * What log entries of a region say.
 *
 *   a leader's no-op      no bytes
 *   raw writes            [1, version, seconds, [command, …]]     commands: see raw/codec.ts
 *   split                 [2, version, confVer, [[key, region, [peer, …]], …]]
 *
 * and the context of a configuration entry:
 *
 *   change of members     [confVer, [[peer, store], …]]           stores of all peers concerned
 *
 * `version` is the region's when the entry was proposed: where a split came between, the entry is
 * void on every replica alike.
 */
import { assert, fail } from "../base/assert.ts";
import type { Key } from "../base/bytes.ts";
import type { Wire } from "../base/wire.ts";
import { Peer } from "../protocol/gen/metapb.ts";
import { commandFromTuple, commandToTuple } from "../raw/codec.ts";
import type { RawCommand } from "../raw/command.ts";

export interface RawEntry {
  readonly type: "raw";
  readonly version: number;
  /** The proposer's wall clock, in seconds of the Unix epoch: what all replicas judge expiry by. */
  readonly nowSeconds: number;
  readonly commands: readonly RawCommand[];
}

export interface SplitEntry {
  readonly type: "split";
  readonly version: number;
  readonly confVer: number;
  readonly parts: readonly SplitPart[];
}

/** A region split off: it ends at `key`, and takes over from where the one before ends. */
export interface SplitPart {
  readonly key: Key;
  readonly region: number;
  /** Ids of its peers, in the order of the parent's. */
  readonly peers: readonly number[];
}

export type RegionEntry = RawEntry | SplitEntry;

const RAW = 1;
const SPLIT = 2;

export function encodeEntry(entry: RegionEntry, wire: Wire): Uint8Array {
  return wire.encode(
    entry.type === "raw"
      ? [RAW, entry.version, entry.nowSeconds, entry.commands.map(commandToTuple)]
      : [
          SPLIT,
          entry.version,
          entry.confVer,
          entry.parts.map((part) => [part.key, part.region, part.peers]),
        ],
  );
}

/**
 * Decodes what came out of a replicated, checksummed log; anything malformed is a wrong program.
 */
export function decodeEntry(data: Uint8Array, wire: Wire): RegionEntry {
  const [kind, version, third, list] = tupleOf(data, wire);
  assert(Array.isArray(list), "a region entry ends in a list");
  switch (kind) {
    case RAW:
      return {
        type: "raw",
        version: version as number,
        nowSeconds: third as number,
        commands: list.map(commandFromTuple),
      };
    case SPLIT:
      return {
        type: "split",
        version: version as number,
        confVer: third as number,
        parts: list.map(([key, region, peers]) => ({ key, region, peers })),
      };
    default:
      return fail(`unknown region entry ${String(kind)}`);
  }
}

export interface MemberContext {
  readonly confVer: number;
  /** Only ids and stores matter; roles follow from the configuration. */
  readonly peers: readonly Peer[];
}

export const encodeMemberContext = (context: MemberContext, wire: Wire): Uint8Array =>
  wire.encode([context.confVer, context.peers.map((peer) => [peer.id, peer.storeId])]);

export function decodeMemberContext(data: Uint8Array, wire: Wire): MemberContext {
  const [confVer, peers] = tupleOf(data, wire);
  assert(Array.isArray(peers), "a change of members names its peers");
  return {
    confVer: confVer as number,
    peers: peers.map(([id, storeId]) => Peer.make({ id, storeId })),
  };
}

function tupleOf(data: Uint8Array, wire: Wire): readonly unknown[] {
  const decoded = wire.decode(data);
  assert(decoded.ok && Array.isArray(decoded.value), "an entry's data is a tuple");
  return decoded.value;
}
