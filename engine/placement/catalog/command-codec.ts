/**
 * Commands and the catalog as bytes, for log entries, checkpoints and snapshots. Stores and regions
 * are protobuf messages inside, so that fields added to them later are kept by older members.
 *
 *   draw_cluster            [0, clusterId]          set_max_peers           [7, count]
 *   reserve_ids             [1, count]              set_external_timestamp  [8, timestamp]
 *   save_window             [2, end]                advance_gc              [9, target, lenient]
 *   bootstrap               [3, store, region]      advance_transaction     [10, target, lenient, now]
 *   put_store               [4, store]              set_barrier             [11, id, ts, expiresAt, lenient]
 *   set_store_state         [5, store id, state]    delete_barrier          [12, id]
 *   record_regions          [6, [region, …]]        set_barrier, global     [13, id, ts, expiresAt, lenient]
 *                                                   delete_barrier, global  [14, id]
 *
 *   catalog  [clusterId | nil, nextId, windowEnd, bootstrapped, maxPeerCount, clusterVersion,
 *             [store, …], [region, …],
 *             [gc, transaction, moves, [[id, ts, expiresAt] or [id, ts, expiresAt, true], …]],
 *             external]
 */
import { unreachable } from "../../base/assert.ts";
import {
  expectBigint,
  expectBoolean,
  expectBytes,
  expectCount,
  expectList,
  expectOptional,
  expectString,
  expectTuple,
  malformed,
} from "../../base/wire.ts";
import type { Decoded, Wire } from "../../base/wire.ts";
import type { MessageCodec } from "../../protocol/codec.ts";
import { Region, Store } from "../../protocol/gen/metapb.ts";
import type { Catalog } from "./catalog.ts";
import type { Command } from "./command.ts";
import { all, emptyRegistry, put, unheard } from "./registry.ts";
import type { Registry } from "./registry.ts";
import type { Barrier, SafePointCommand } from "./safe-point.ts";

export const encodeCommand = (command: Command, wire: Wire): Uint8Array =>
  wire.encode(commandTuple(command));

/** Keeps nothing of `bytes`. */
export const decodeCommand = (bytes: Uint8Array, wire: Wire): Decoded<Command> =>
  wire.decodeWith(bytes, readCommand);

function commandTuple(command: Command): readonly unknown[] {
  switch (command.type) {
    case "draw_cluster":
      return [0, command.clusterId];
    case "reserve_ids":
      return [1, command.count];
    case "save_window":
      return [2, command.end];
    case "bootstrap":
      return [3, Store.encode(command.store), Region.encode(command.region)];
    case "put_store":
      return [4, Store.encode(command.store)];
    case "set_store_state":
      return [5, command.store, command.state];
    case "record_regions":
      return [6, command.regions.map((region) => Region.encode(region))];
    case "set_max_peers":
      return [7, command.count];
    case "set_external_timestamp":
      return [8, command.timestamp];
    case "safe_point":
      return safePointTuple(command.command);
    default:
      return unreachable(command);
  }
}

function safePointTuple(command: SafePointCommand): readonly unknown[] {
  switch (command.type) {
    case "advance_gc":
      return [9, command.target, command.lenient];
    case "advance_transaction":
      return [10, command.target, command.lenient, command.now];
    case "set_barrier": {
      const { id, timestamp, expiresAt, global } = command.barrier;
      return [global ? 13 : 11, id, timestamp, expiresAt, command.lenient];
    }
    case "delete_barrier":
      return [command.global ? 14 : 12, command.id];
    default:
      return unreachable(command);
  }
}

const barrierTuple = ({ id, timestamp, expiresAt, global }: Barrier): readonly unknown[] =>
  global ? [id, timestamp, expiresAt, true] : [id, timestamp, expiresAt];

/** How many items the tuple of each command has, by its number. */
const LENGTHS = [2, 2, 2, 3, 2, 3, 2, 2, 2, 3, 4, 5, 2, 5, 2];

function readCommand(value: unknown): Command {
  const tag = Array.isArray(value) ? expectCount(value[0], "command") : -1;
  const [, a, b, c, d] = expectTuple(value, LENGTHS[tag] ?? 0, "command");
  switch (tag) {
    case 0:
      return { type: "draw_cluster", clusterId: expectBigint(a, "cluster id") };
    case 1:
      return { type: "reserve_ids", count: expectCount(a, "count") };
    case 2:
      return { type: "save_window", end: expectCount(a, "window") };
    case 3:
      return { type: "bootstrap", store: message(Store, a), region: message(Region, b) };
    case 4:
      return { type: "put_store", store: message(Store, a) };
    case 5:
      return {
        type: "set_store_state",
        store: expectCount(a, "store"),
        state: expectCount(b, "state"),
      };
    case 6:
      return { type: "record_regions", regions: expectList(a, readRegion, "regions") };
    case 7:
      return { type: "set_max_peers", count: expectCount(a, "count") };
    case 8:
      return { type: "set_external_timestamp", timestamp: expectBigint(a, "timestamp") };
    default:
      return { type: "safe_point", command: readSafePoint(tag, a, b, c, d) };
  }
}

function readSafePoint(
  tag: number,
  a: unknown,
  b: unknown,
  c: unknown,
  d: unknown,
): SafePointCommand {
  switch (tag) {
    case 9:
      return {
        type: "advance_gc",
        target: expectBigint(a, "target"),
        lenient: expectBoolean(b, "lenient"),
      };
    case 10:
      return {
        type: "advance_transaction",
        target: expectBigint(a, "target"),
        lenient: expectBoolean(b, "lenient"),
        now: expectCount(c, "now"),
      };
    case 11:
    case 13:
      return {
        type: "set_barrier",
        barrier: readBarrier(tag === 13 ? [a, b, c, true] : [a, b, c]),
        lenient: expectBoolean(d, "lenient"),
      };
    case 12:
    case 14:
      return { type: "delete_barrier", id: expectString(a, "barrier"), global: tag === 14 };
    default:
      return malformed(`command ${tag} is unknown`);
  }
}

export function encodeCatalog(catalog: Catalog, wire: Wire): Uint8Array {
  const { gc, transaction, moves, barriers } = catalog.safePoints;
  return wire.encode([
    catalog.clusterId,
    catalog.nextId,
    catalog.windowEnd,
    catalog.bootstrapped,
    catalog.maxPeerCount,
    catalog.clusterVersion,
    catalog.stores.map((store) => Store.encode(store)),
    Array.from(all(catalog.regions), (info) => Region.encode(info.region)),
    [gc, transaction, moves, barriers.map(barrierTuple)],
    catalog.externalTimestamp,
  ]);
}

/** Keeps nothing of `bytes`. */
export const decodeCatalog = (bytes: Uint8Array, wire: Wire): Decoded<Catalog> =>
  wire.decodeWith(bytes, (value) => {
    const tuple = expectTuple(value, 10, "catalog");
    const [gc, transaction, moves, barriers] = expectTuple(tuple[8], 4, "safe points");
    return {
      clusterId: expectOptional(tuple[0], expectBigint, "cluster id"),
      nextId: expectCount(tuple[1], "next id"),
      windowEnd: expectCount(tuple[2], "window"),
      bootstrapped: expectBoolean(tuple[3], "bootstrapped"),
      maxPeerCount: expectCount(tuple[4], "max peers"),
      clusterVersion: expectString(tuple[5], "cluster version"),
      stores: expectList(tuple[6], (store) => message(Store, store), "stores"),
      regions: registryOf(expectList(tuple[7], readRegion, "regions")),
      safePoints: {
        gc: expectBigint(gc, "safe point"),
        transaction: expectBigint(transaction, "transaction safe point"),
        moves: expectCount(moves, "moves of the transaction safe point"),
        barriers: expectList(barriers, readBarrier, "barriers"),
      },
      externalTimestamp: expectBigint(tuple[9], "external timestamp"),
    };
  });

function registryOf(regions: readonly Region[]): Registry {
  let registry = emptyRegistry();
  for (const region of regions) {
    const next = put(registry, unheard(region));
    registry = next ?? malformed(`region ${region.id} overlaps another`);
  }
  return registry;
}

function readBarrier(value: unknown): Barrier {
  const length = Array.isArray(value) && value.length === 4 ? 4 : 3;
  const [id, timestamp, expiresAt, global] = expectTuple(value, length, "barrier");
  return {
    id: expectString(id, "barrier"),
    timestamp: expectBigint(timestamp, "barrier's timestamp"),
    expiresAt: expectCount(expiresAt, "barrier's expiry"),
    global: global !== undefined && expectBoolean(global, "barrier's scope"),
  };
}

const readRegion = (value: unknown): Region => message(Region, value);

function message<T>(codec: MessageCodec<T>, value: unknown): T {
  const decoded = codec.decode(expectBytes(value, codec.name));
  return decoded.ok ? decoded.value : malformed(decoded.reason);
}
