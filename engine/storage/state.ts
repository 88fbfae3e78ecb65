/**
 * The state of the storage machine: two lanes beside each other, the shared log and the tables, and
 * the memtable, which is of both.
 */
import { Ticket, nextTicket } from "../base/ids.ts";
import type { Wire } from "../base/wire.ts";
import { emptyLog } from "./log/state.ts";
import type { LogState } from "./log/state.ts";
import { emptyMemtable } from "./lsm/memtable/memtable.ts";
import { emptyTree, shaped } from "./lsm/state.ts";
import type { TreeState } from "./lsm/state.ts";
import type { Memtable, Stack } from "./lsm/types.ts";
import type { Identity, StorageConfig } from "./types.ts";

export interface StorageState {
  readonly config: StorageConfig;
  /** The owner's scratch space for encoding; holds nothing from one call to the next. */
  readonly wire: Wire;
  /** Undefined until `identify`. */
  readonly identity: Identity | undefined;
  /** The disk has refused a write that the store cannot do without: nothing is written any more. */
  readonly closed: boolean;
  /** What was recovered is durable. Until then the table lane and the jobs wait. */
  readonly opened: boolean;
  /** Of the next effect, be it a write of either lane or a job. */
  readonly nextTicket: Ticket;
  /** The newest source. Its owner edits it. */
  readonly memtable: Memtable;
  readonly log: LogState;
  readonly tree: TreeState;
}

/** The state of a store that has never written anything. */
export const initial = (config: StorageConfig, wire: Wire): StorageState => ({
  config,
  wire,
  identity: undefined,
  closed: false,
  opened: true,
  nextTicket: Ticket(1),
  memtable: emptyMemtable(),
  log: emptyLog(),
  tree: shaped(emptyTree()),
});

/** A number for the table that is to be received, and the state that has given it away. */
export function reserve(state: StorageState): {
  readonly state: StorageState;
  readonly number: number;
} {
  const { nextNumber: number } = state.tree;
  return { state: withTree(state, { ...state.tree, nextNumber: number + 1 }), number };
}

/** Everything that can be read: what a view or a workspace begins with. */
export const stackOf = ({ memtable, tree }: StorageState): Stack => ({
  memtable,
  layers: tree.layers,
  version: tree.version,
});

/**
 * `memtable` in place of the one that it was made from. Written out in full, as the next one: a
 * spread costs ten times more.
 */
export function withMemtable(state: StorageState, memtable: Memtable): StorageState {
  if (state.memtable === memtable) return state;
  return {
    config: state.config,
    wire: state.wire,
    identity: state.identity,
    closed: state.closed,
    opened: state.opened,
    nextTicket: state.nextTicket,
    memtable,
    log: state.log,
    tree: state.tree,
  };
}

/** Another state of the log; where `ticket` is given, it has been used. */
export function withLog(state: StorageState, log: LogState, ticket?: Ticket): StorageState {
  return {
    config: state.config,
    wire: state.wire,
    identity: state.identity,
    closed: state.closed,
    opened: state.opened,
    nextTicket: ticket === undefined ? state.nextTicket : nextTicket(ticket),
    memtable: state.memtable,
    log,
    tree: state.tree,
  };
}

/** Another state of the tree; where `ticket` is given, it has been used. */
export const withTree = (state: StorageState, tree: TreeState, ticket?: Ticket): StorageState => ({
  config: state.config,
  wire: state.wire,
  identity: state.identity,
  closed: state.closed,
  opened: state.opened,
  nextTicket: ticket === undefined ? state.nextTicket : nextTicket(ticket),
  memtable: state.memtable,
  log: state.log,
  tree: shaped(tree),
});
