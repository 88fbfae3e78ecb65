/**
 * What log entries of a region say.
 *
 *   a leader's no-op      no bytes
 *   raw writes            1 (one byte), version, seconds (varints), commands: see raw/codec.ts
 *   transactional writes  3 (one byte), version (varint), puts and deletes in the same form
 *   split                 [2, version, confVer, [[key, region, [peer, …]], …]]
 *   flashback             [4, version, start]       begins, or is over where `start` is 0
 *
 * and the context of a configuration entry:
 *
 *   change of members     [confVer, [[peer, store], …]]           stores of all peers concerned
 *
 * A list is a msgpack tuple, whose first byte is neither 1 nor 3. `version` is the region's when
 * the entry was proposed: where a split came between, the entry is void on every replica alike.
 */
import { assert } from "../base/assert.ts";
import type { Key } from "../base/bytes.ts";
import { Timestamp } from "../base/timestamp.ts";
import { varintSize, writeVarint } from "../base/varint.ts";
import type { Wire } from "../base/wire.ts";
import { Peer } from "../protocol/gen/metapb.ts";
import { createReader, safeUint64 } from "../protocol/reader.ts";
import { commandsSize, measureCommands, readCommands, writeCommands } from "../raw/codec.ts";
import type { RawCommand } from "../raw/command.ts";
import type { KvOperation } from "../storage/types.ts";

export interface RawEntry {
  readonly type: "raw";
  readonly version: number;
  /** The proposer's wall clock, in seconds of the Unix epoch: what all replicas judge expiry by. */
  readonly nowSeconds: number;
  readonly commands: readonly RawCommand[];
}

/** What commands evaluated by the leader have come to. */
export interface WriteEntry {
  readonly type: "write";
  readonly version: number;
  readonly operations: readonly KvOperation[];
}

export interface SplitEntry {
  readonly type: "split";
  readonly version: number;
  readonly confVer: number;
  readonly parts: readonly SplitPart[];
}

/** From here on the region serves a flashback only, or everybody again. */
export interface FlashbackEntry {
  readonly type: "flashback";
  readonly version: number;
  /** Of the flashback's transaction; 0: it is over. */
  readonly startTs: Timestamp;
}

/** A region split off: it ends at `key`, and takes over from where the one before ends. */
export interface SplitPart {
  readonly key: Key;
  readonly region: number;
  /** Ids of its peers, in the order of the parent's. */
  readonly peers: readonly number[];
}

export type RegionEntry = RawEntry | WriteEntry | SplitEntry | FlashbackEntry;

const RAW = 1;
const SPLIT = 2;
const WRITE = 3;
const FLASHBACK = 4;

export function encodeEntry(entry: RegionEntry, wire: Wire): Uint8Array {
  if (entry.type === "raw") return encodeRaw(entry);
  if (entry.type === "write") return encodeWrite(entry);
  if (entry.type === "flashback") return wire.encode([FLASHBACK, entry.version, entry.startTs]);
  const parts = entry.parts.map((part) => [part.key, part.region, part.peers]);
  return wire.encode([SPLIT, entry.version, entry.confVer, parts]);
}

function encodeRaw({ version, nowSeconds, commands }: RawEntry): Uint8Array {
  const sizes = measureCommands(commands);
  const head = 1 + varintSize(version) + varintSize(nowSeconds);
  const data = new Uint8Array(head + commandsSize(sizes));
  data[0] = RAW;
  const at = writeVarint(nowSeconds, data, writeVarint(version, data, 1));
  writeCommands(commands, sizes, data, at);
  return data;
}

function encodeWrite({ version, operations }: WriteEntry): Uint8Array {
  const commands = operations.map(commandOf);
  const sizes = measureCommands(commands);
  const data = new Uint8Array(1 + varintSize(version) + commandsSize(sizes));
  data[0] = WRITE;
  writeCommands(commands, sizes, data, writeVarint(version, data, 1));
  return data;
}

const commandOf = (operation: KvOperation): RawCommand =>
  operation.type === "put" ? { ...operation, expiresAt: 0 } : operation;

function operationOf(command: RawCommand): KvOperation {
  assert(command.type !== "compare_and_swap", "what was evaluated asks nothing any more");
  return command;
}

/**
 * Decodes what came out of a replicated, checksummed log; anything malformed is a wrong program.
 */
export function decodeEntry(data: Uint8Array, wire: Wire): RegionEntry {
  if (data[0] === RAW) return decodeRaw(data);
  if (data[0] === WRITE) return decodeWrite(data);
  const tuple = tupleOf(data, wire);
  if (tuple[0] === FLASHBACK) {
    const [, version, startTs] = tuple;
    assert(typeof startTs === "bigint", "a flashback has a timestamp");
    return { type: "flashback", version: version as number, startTs: Timestamp(startTs) };
  }
  const [kind, version, confVer, parts] = tuple;
  assert(kind === SPLIT, "a region entry is of a known kind");
  assert(Array.isArray(parts), "a split ends in a list");
  return {
    type: "split",
    version: version as number,
    confVer: confVer as number,
    parts: parts.map(([key, region, peers]) => ({ key, region, peers })),
  };
}

function decodeWrite(data: Uint8Array): WriteEntry {
  const head = createReader(data);
  head.at = 1;
  const version = safeUint64(head);
  assert(head.failure === undefined, "writes begin with their version");
  return { type: "write", version, operations: readCommands(data, head.at).map(operationOf) };
}

function decodeRaw(data: Uint8Array): RawEntry {
  const head = createReader(data);
  head.at = 1;
  const version = safeUint64(head);
  const nowSeconds = safeUint64(head);
  assert(head.failure === undefined, "raw writes begin with version and time");
  return { type: "raw", version, nowSeconds, commands: readCommands(data, head.at) };
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
