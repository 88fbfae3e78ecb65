/** All that one member of the placement driver is, and how it comes back from its disk. */
import { assert } from "../base/assert.ts";
import { concatBytes } from "../base/bytes.ts";
import { LogIndex, RegionId, StoreId, Term, Ticket } from "../base/ids.ts";
import type { Now } from "../base/time.ts";
import { createWire } from "../base/wire.ts";
import type { Wire } from "../base/wire.ts";
import { configOf } from "../raft/config.ts";
import { restore, start } from "../raft/start.ts";
import type { RaftState } from "../raft/state.ts";
import type { Configuration } from "../raft/types.ts";
import type { DiskReader, FileName } from "../storage/disk.ts";
import { open as openStorage } from "../storage/open.ts";
import type { StorageState } from "../storage/state.ts";
import { step as stepStorage } from "../storage/storage.ts";
import type { Identity, Recovered, StorageEffect } from "../storage/types.ts";
import { emptyCatalog } from "./catalog/catalog.ts";
import type { Catalog } from "./catalog/catalog.ts";
import { decodeCatalog } from "./catalog/command-codec.ts";
import { assertConfig } from "./config.ts";
import type { PlacementConfig } from "./config.ts";
import type { Leadership } from "./leadership.ts";
import type { PlacementEffect } from "./types.ts";

/** The driver's own Raft group. */
export const GROUP: RegionId = RegionId(0);

/** A position of the log. */
export interface Position {
  readonly index: LogIndex;
  readonly term: Term;
}

/** A write of the Raft group that is under way. */
export interface PendingWrite {
  /** Storage's name for it. */
  readonly ticket: Ticket;
  /** Raft's. */
  readonly raftTicket: Ticket;
  /** Set where the write replaces everything by a snapshot: what holds once it is durable. */
  readonly restored: { readonly catalog: Catalog; readonly at: Position } | undefined;
}

export interface PlacementState {
  readonly config: PlacementConfig;
  /** Scratch space for encoding; holds nothing from one call to the next. */
  readonly wire: Wire;
  /** Whether what was recovered is durable. Before that the member takes no part. */
  readonly opened: boolean;
  /** Set for good when the disk has failed. */
  readonly stopped: boolean;
  readonly raft: RaftState;
  readonly storage: StorageState;
  /** The last ticket given to storage. */
  readonly ticket: Ticket;
  readonly writes: readonly PendingWrite[];
  /** The replicated state as of `applied`. */
  readonly catalog: Catalog;
  readonly applied: Position;
  /** Whether a checkpoint is being written. */
  readonly checkpointing: boolean;
  /** Where the last checkpoint stands that was begun. */
  readonly checkpoint: LogIndex;
  /**
   * The last checkpoint but one that is durable: the log is kept from there, for members that lag a
   * little.
   */
  readonly kept: Position | undefined;
  /** When it was last said that the disk refuses writes, on the monotonic clock. */
  readonly complainedAt: number;
  /** Undefined while this member does not lead. */
  readonly leadership: Leadership | undefined;
}

export type Opened =
  | {
      readonly ok: true;
      readonly state: PlacementState;
      /** Perform these before anything else. */
      readonly effects: readonly PlacementEffect[];
    }
  | {
      readonly ok: false;
      /**
       * `foreign`: the directory belongs to another member or another group. Nothing was touched.
       */
      readonly reason: "corrupt" | "unreadable" | "foreign";
      readonly file: FileName;
      readonly offset: number;
      readonly detail: string;
    };

/**
 * Makes a member from its directory, which may be empty. Nothing is changed before the effects are
 * performed.
 */
export function open(reader: DiskReader, config: PlacementConfig, now: Now): Opened {
  assertConfig(config);
  const wire = createWire();
  const result = openStorage(reader, config.storage, wire);
  if (!result.ok) return result;
  const { recovered } = result;
  const foreign = checkIdentity(recovered.identity, identityOf(config));
  if (foreign !== undefined) {
    return {
      ok: false,
      reason: "foreign",
      file: reader.list()[0] ?? "",
      offset: 0,
      detail: foreign,
    };
  }
  const [damage] = recovered.damage;
  if (damage !== undefined) {
    const { file, reason, offset, detail } = damage;
    return { ok: false, reason, file, offset, detail };
  }
  const held = heldState(recovered, wire);
  if (!held.ok)
    return { ok: false, reason: "corrupt", file: held.file, offset: 0, detail: held.detail };
  const effects: PlacementEffect[] = [];
  let opened = false;
  const take = (storageEffects: readonly StorageEffect[]): void => {
    for (const effect of storageEffects) {
      if (effect.type === "write") effects.push(effect);
      else if (effect.type === "opened") opened = true;
    }
  };
  take(result.effects);
  let storage = result.state;
  const ticket = Ticket(1);
  if (recovered.identity === undefined) {
    const identified = stepStorage(storage, {
      type: "identify",
      identity: identityOf(config),
      ticket,
    });
    storage = identified.state;
    take(identified.effects);
  }
  const { applied, catalog } = held;
  const state: PlacementState = {
    config,
    wire,
    opened,
    stopped: false,
    raft: raftOf(config, recovered, applied, now),
    storage,
    ticket,
    writes: [],
    catalog,
    applied,
    checkpointing: false,
    checkpoint: applied.index,
    kept: undefined,
    complainedAt: Number.NEGATIVE_INFINITY,
    leadership: undefined,
  };
  return { ok: true, state, effects };
}

function raftOf(
  config: PlacementConfig,
  recovered: Recovered,
  applied: Position,
  now: Now,
): RaftState {
  const raftConfig = configOf(config.raft, config.id, config.seed);
  const configuration = configurationOf(config);
  const group = recovered.groups.find(({ region }) => region === GROUP);
  if (group === undefined) {
    assert(applied.index === 0, "a checkpoint has a log");
    const { index, term } = applied;
    return start(raftConfig, { index, term, configuration }, now.monotonicMs);
  }
  const { hardState, truncated, entries } = group;
  const durable = { hardState, truncated, entries, applied: applied.index, configuration };
  return restore(raftConfig, durable, now.monotonicMs);
}

type HeldState =
  | { readonly ok: true; readonly catalog: Catalog; readonly applied: Position }
  | { readonly ok: false; readonly file: FileName; readonly detail: string };

/**
 * What the disk holds of the state machine: a snapshot newer than the last mark, that mark, or
 * nothing.
 */
function heldState(recovered: Recovered, wire: Wire): HeldState {
  const group = recovered.groups.find(({ region }) => region === GROUP);
  if (group?.restored !== undefined) {
    const { metadata, chunks } = group.restored;
    const decoded = decodeCatalog(concatBytes(chunks), wire);
    if (!decoded.ok) return { ok: false, file: "log", detail: decoded.reason };
    const applied = { index: metadata.index, term: metadata.term };
    return { ok: true, catalog: decoded.value, applied };
  }
  const mark = recovered.marks.find(({ region }) => region === GROUP);
  if (mark === undefined) {
    const applied = { index: LogIndex(0), term: Term(0) };
    return { ok: true, catalog: emptyCatalog(), applied };
  }
  const decoded = decodeCatalog(mark.meta, wire);
  if (!decoded.ok) return { ok: false, file: "manifest", detail: decoded.reason };
  const applied = { index: mark.applied, term: mark.appliedTerm };
  return { ok: true, catalog: decoded.value, applied };
}

/** The membership, which is fixed: no entry of the log ever changes it. */
export const configurationOf = (config: PlacementConfig): Configuration => ({
  voters: config.members.map(({ id }) => id),
  outgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
});

/** Whose directory this is: that of a member of a group of exactly these members. */
function identityOf(config: PlacementConfig): Identity {
  // FNV-1a: the cluster's own id is drawn only later, by the group itself.
  let group = 0xcbf29ce484222325n;
  for (const { id } of config.members) {
    group = BigInt.asUintN(64, (group ^ BigInt(id)) * 0x100000001b3n);
  }
  return { cluster: group, store: StoreId(config.id) };
}

function checkIdentity(found: Identity | undefined, wanted: Identity): string | undefined {
  if (found === undefined) return undefined;
  if (found.store !== wanted.store) {
    return `the directory belongs to member ${found.store}, not to member ${wanted.store}`;
  }
  if (found.cluster === wanted.cluster) return undefined;
  return "the directory belongs to a group of other members";
}
