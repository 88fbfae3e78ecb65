/**
 * Opens a store's directory: reads the newest checkpoint and the log, judges whether they belong
 * together, and says what must be repaired before anything else is written.
 *
 * The repairs end with a sync even where nothing is broken: a process that was killed leaves bytes
 * that are in the log and not on the disk, and what was recovered from them must not be lost later.
 */
import { Ticket } from "../base/ids.ts";
import type { LogIndex } from "../base/ids.ts";
import * as tree from "../base/tree.ts";
import type { Wire } from "../base/wire.ts";
import { readCheckpoint } from "./checkpoint.ts";
import type { CheckpointRead } from "./checkpoint.ts";
import { corrupt } from "./damage.ts";
import type { Damage } from "./damage.ts";
import type { DiskOperation, DiskReader, FileName } from "./disk.ts";
import { heldSegments } from "./log/group.ts";
import type { GroupLog } from "./log/group.ts";
import { emptyKv } from "./kv.ts";
import { replayLog } from "./log/replay.ts";
import type { Replay, ReplayedGroup } from "./log/replay.ts";
import {
  checkpointFile,
  durableCheckpoint,
  fileNumber,
  initial,
  regionKey,
  segmentFile,
} from "./state.ts";
import type { StorageState } from "./state.ts";
import type { OpenResult, RecoveredGroup, StorageConfig, StorageEffect } from "./types.ts";

/**
 * Reads the directory of a store. Nothing is changed before the effects are performed. Keeps
 * `wire`.
 */
export function open(
  reader: DiskReader,
  config: StorageConfig,
  wire: Wire,
): OpenResult<StorageState> {
  const files = filesOf(reader);
  const newest = files.checkpoints[files.checkpoints.length - 1];
  const checkpoint = newest === undefined ? undefined : readCheckpoint(reader, newest);
  if (checkpoint !== undefined && !checkpoint.ok) return checkpoint;
  const log = replayLog(reader, files.segments, wire);
  if (!log.ok) return log;
  const { replay } = log;
  const mismatch = checkTogether(replay, checkpoint);
  if (mismatch !== undefined) return mismatch;
  const applied = durableCheckpoint(newest ?? 0, checkpoint?.checkpoint.groups ?? []);
  const state = stateOf(replay, config, newest === undefined ? undefined : applied);
  const groups: ReplayedGroup[] = [];
  for (const [region, group] of replay.groups) {
    const index = applied.applied.get(region) ?? (0 as LogIndex);
    const detail = checkGroup(group, index);
    if (detail !== undefined) return corrupt(...endOf(replay), detail);
    groups.push(group);
  }
  const operations = repairs(replay, files);
  const ticket = Ticket(1);
  const effects: StorageEffect[] =
    operations.length === 0
      ? [{ type: "opened" }]
      : [{ type: "write", lane: "log", ticket, operations }];
  return {
    ok: true,
    state:
      operations.length === 0
        ? state
        : { ...state, nextTicket: Ticket(2), writing: { type: "repairs", ticket } },
    recovered: {
      identity: replay.identity,
      checkpoint: checkpoint?.checkpoint ?? { groups: [], kv: emptyKv() },
      groups: recoveredGroups(groups, applied.applied),
    },
    effects,
  };
}

interface Files {
  readonly segments: readonly number[];
  readonly checkpoints: readonly number[];
  /** Checkpoints that were never finished. */
  readonly drafts: readonly FileName[];
}

/** Ours among the files of the directory, each list ascending. */
function filesOf(reader: DiskReader): Files {
  const segments: number[] = [];
  const checkpoints: number[] = [];
  const drafts: FileName[] = [];
  for (const file of reader.list()) {
    const segment = fileNumber("log", file);
    if (segment !== undefined) segments.push(segment);
    const checkpoint = fileNumber("checkpoint", file);
    if (checkpoint !== undefined) checkpoints.push(checkpoint);
    const draft = file.endsWith(".tmp") ? file.slice(0, -".tmp".length) : "";
    if (fileNumber("checkpoint", draft) !== undefined) drafts.push(file);
  }
  return { segments, checkpoints, drafts };
}

/** The last segment and its end: where a log that is too short should have gone on. */
function endOf(replay: Replay): [FileName, number] {
  const last = replay.segments[replay.segments.length - 1];
  return last === undefined ? [segmentFile(1), 0] : [segmentFile(last.number), last.size];
}

function checkTogether(replay: Replay, read: CheckpointRead | undefined): Damage | undefined {
  if (read === undefined) return undefined;
  const { header } = read;
  const file = checkpointFile(header.number);
  const { identity } = replay;
  if (identity === undefined) return corrupt(segmentFile(1), 0, `${file} has no log`);
  if (identity.cluster !== header.identity.cluster || identity.store !== header.identity.store) {
    return corrupt(file, 8, "the checkpoint belongs to another store than the log");
  }
  if (header.sequence <= replay.sequence) return undefined;
  const detail = `the log ends with batch ${replay.sequence}, and ${file} needs batch ${header.sequence}`;
  return corrupt(...endOf(replay), detail);
}

/** A sentence where the log of a group does not go on from what is known otherwise. */
function checkGroup(group: ReplayedGroup, applied: LogIndex): string | undefined {
  const { region, base, truncated, begun } = group.log;
  if (base !== truncated.index) {
    return `group ${region}: entries ${truncated.index + 1} to ${base} are missing`;
  }
  if (group.restored === undefined && truncated.index > Math.max(applied, begun)) {
    return `group ${region}: the log starts behind ${truncated.index}, and the checkpoint ends at ${applied}`;
  }
  return undefined;
}

function stateOf(
  replay: Replay,
  config: StorageConfig,
  checkpoint: StorageState["checkpoint"],
): StorageState {
  const holders = new Map<number, number>();
  const groups = tree.edit(tree.empty<GroupLog>());
  for (const { log } of replay.groups.values()) {
    for (const segment of heldSegments(log)) holders.set(segment, (holders.get(segment) ?? 0) + 1);
    groups.set(regionKey(log.region), { ...log, anchored: true });
  }
  return {
    ...initial(config, replay.wire),
    identity: replay.identity,
    segments: replay.segments.map(({ number, size }) => ({
      number,
      size,
      holders: holders.get(number) ?? 0,
    })),
    oldest: replay.oldest,
    sequence: replay.sequence,
    chain: replay.chain,
    seed: replay.seed,
    groups: groups.done(),
    checkpoint,
  };
}

function repairs(replay: Replay, files: Files): DiskOperation[] {
  const operations: DiskOperation[] = [];
  const last = replay.segments[replay.segments.length - 1];
  if (last !== undefined) {
    const file = segmentFile(last.number);
    if (replay.torn) operations.push({ type: "truncate", file, size: last.size });
    operations.push({ type: "sync", file });
  }
  for (const file of files.drafts) operations.push({ type: "remove", file });
  for (const number of files.checkpoints.slice(0, -1)) {
    operations.push({ type: "remove", file: checkpointFile(number) });
  }
  if (replay.leftover !== undefined) operations.push({ type: "remove", file: replay.leftover });
  if (operations.length > 0) operations.push({ type: "sync_directory" });
  return operations;
}

function recoveredGroups(
  groups: readonly ReplayedGroup[],
  applied: ReadonlyMap<RecoveredGroup["region"], LogIndex>,
): readonly RecoveredGroup[] {
  const plain: RecoveredGroup[] = [];
  const restored: { readonly at: number; readonly group: RecoveredGroup }[] = [];
  for (const replayed of groups) {
    const group = recoveredGroup(replayed, applied.get(replayed.log.region) ?? 0);
    if (group.restored === undefined) plain.push(group);
    else restored.push({ at: replayed.restoredAt, group });
  }
  plain.sort((a, b) => a.region - b.region);
  restored.sort((a, b) => a.at - b.at);
  return [...plain, ...restored.map(({ group }) => group)];
}

/** Copies what it keeps, so that the bytes of whole segments can go. */
function recoveredGroup(replayed: ReplayedGroup, applied: number): RecoveredGroup {
  const { log, restored } = replayed;
  const newer = restored !== undefined && restored.metadata.index > applied;
  return {
    region: log.region,
    hardState: log.hardState,
    truncated: log.truncated,
    entries: replayed.entries.map((entry) => ({
      index: entry.index,
      term: entry.term,
      type: entry.type,
      data: entry.data.slice(),
    })),
    restored: newer
      ? {
          metadata: restored.metadata,
          chunks: restored.chunks.map((chunk) => chunk.slice()),
          tables: restored.tables,
        }
      : undefined,
    tombstone: log.tombstone?.slice(),
  };
}
