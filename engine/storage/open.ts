/**
 * Opens a store's directory: reads the manifest and the log, judges whether they belong together,
 * looks for the tables that they name, and says what must be repaired before anything else is
 * written.
 *
 * The repairs end with a sync even where nothing is broken: a process that was killed leaves bytes
 * that are in the files and not on the disk, and what was recovered from them must not be lost
 * later.
 */
import { LogIndex, Ticket } from "../base/ids.ts";
import { idKey } from "../base/big-endian.ts";
import * as tree from "../base/tree.ts";
import type { Wire } from "../base/wire.ts";
import { corrupt, unreadable } from "./damage.ts";
import type { Damage } from "./damage.ts";
import type { DiskOperation, DiskReader, FileName } from "./disk.ts";
import { fileNumber, finalName, isCheckpoint, manifestFile, segmentFile } from "./files.ts";
import { heldSegments } from "./log/group.ts";
import type { GroupLog } from "./log/group.ts";
import { replayLog } from "./log/replay.ts";
import type { Replay, ReplayedGroup } from "./log/replay.ts";
import { emptyLog } from "./log/state.ts";
import type { LogState } from "./log/state.ts";
import { noFacts } from "./lsm/manifest/edit.ts";
import type { Facts } from "./lsm/manifest/edit.ts";
import { replayManifest } from "./lsm/manifest/manifest.ts";
import type { ManifestReplay } from "./lsm/manifest/manifest.ts";
import { recoveredTree } from "./lsm/recovery.ts";
import { allTables } from "./lsm/version.ts";
import { initial, stackOf } from "./state.ts";
import type { StorageState } from "./state.ts";
import { tableFile, tableNumber } from "./table/file.ts";
import { damageOf } from "./table/open-table.ts";
import type { TableDamage, TableMeta } from "./table/types.ts";
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
  const [old] = files.checkpoints;
  if (old !== undefined) {
    const detail =
      "version 1 of the checkpoint format is unknown; this program keeps data in tables";
    return unreadable(old, 7, detail);
  }
  const number = files.manifests[files.manifests.length - 1];
  const manifest = number === undefined ? undefined : replayManifest(reader, number, wire);
  if (manifest !== undefined && !manifest.ok) return manifest;
  const log = replayLog(reader, files.segments, wire);
  if (!log.ok) return log;
  const { replay } = log;
  const mismatch = checkManifest(replay, manifest);
  if (mismatch !== undefined) return mismatch;
  const facts = manifest?.facts ?? noFacts();
  const applied: AppliedIndex = (region) =>
    tree.get(facts.marks, idKey(region))?.applied ?? LogIndex(0);
  const groups = [...replay.groups.values()];
  for (const group of groups) {
    const detail = checkGroup(group, applied(group.log.region));
    if (detail !== undefined) return corrupt(...endOf(replay), detail);
  }
  const recovered = recoveredGroups(groups, applied);
  const named = tablesNamed(facts, recovered);
  const damage = unusableTables(reader, named);
  const operations = repairs(replay, manifest, files, named);
  const ticket = Ticket(1);
  const effects: StorageEffect[] =
    operations.length === 0
      ? [{ type: "opened" }]
      : [{ type: "write", lane: "log", ticket, operations }];
  const settled: StorageState = {
    ...initial(config, wire),
    identity: replay.identity,
    log: logOf(replay),
    tree: recoveredTree(facts, manifest?.manifest, config.lsm, {
      numbers: [...named.keys(), ...files.tables],
      damaged: damage.map(({ table }) => table),
    }),
  };
  const state = operations.length === 0 ? settled : repairing(settled, { type: "repairs", ticket });
  return {
    ok: true,
    state,
    recovered: {
      identity: replay.identity,
      stack: stackOf(state),
      marks: [...tree.entries(facts.marks)].map(([, mark]) => mark),
      quarantined: [...facts.quarantined].sort((a, b) => a - b),
      damage,
      groups: recovered,
    },
    effects,
  };
}

/** How far a group's data is there without the log. */
type AppliedIndex = (region: RecoveredGroup["region"]) => LogIndex;

const repairing = (
  state: StorageState,
  writing: NonNullable<LogState["writing"]>,
): StorageState => ({
  ...state,
  opened: false,
  nextTicket: Ticket(2),
  log: { ...state.log, writing },
});

interface Files {
  readonly segments: readonly number[];
  readonly manifests: readonly number[];
  readonly tables: readonly number[];
  readonly checkpoints: readonly FileName[];
  /** Manifests that were never finished. */
  readonly drafts: readonly FileName[];
}

/** Ours among the files of the directory, each list ascending. */
function filesOf(reader: DiskReader): Files {
  const segments: number[] = [];
  const manifests: number[] = [];
  const tables: number[] = [];
  const checkpoints: FileName[] = [];
  const drafts: FileName[] = [];
  const push = (list: number[], number: number | undefined): void => {
    if (number !== undefined) list.push(number);
  };
  for (const file of reader.list()) {
    push(segments, fileNumber("log", file));
    push(manifests, fileNumber("manifest", file));
    push(tables, tableNumber(file));
    if (isCheckpoint(file)) checkpoints.push(file);
    if (fileNumber("manifest", finalName(file) ?? "") !== undefined) drafts.push(file);
  }
  return { segments, manifests, tables, checkpoints, drafts };
}

/** All tables that must be there, by number. */
function tablesNamed(
  facts: Facts,
  groups: readonly RecoveredGroup[],
): ReadonlyMap<number, TableMeta> {
  const named = new Map<number, TableMeta>();
  for (const { table } of allTables(facts.version)) named.set(table.number, table);
  for (const { restored } of groups) {
    for (const table of restored?.tables ?? []) named.set(table.number, table);
  }
  return named;
}

/** Tables that are not there, or not as long as they were written. */
function unusableTables(
  reader: DiskReader,
  named: ReadonlyMap<number, TableMeta>,
): readonly TableDamage[] {
  const damage: TableDamage[] = [];
  for (const meta of named.values()) {
    const found = reader.size(tableFile(meta.number));
    if (found === meta.size) continue;
    const detail =
      found === undefined
        ? "the table is missing"
        : `the table has ${found} bytes instead of ${meta.size}`;
    const offset = Math.min(found ?? 0, meta.size);
    damage.push(damageOf(meta, { offset, reason: "corrupt", detail }));
  }
  return damage;
}

function checkManifest(replay: Replay, read: ManifestReplay | undefined): Damage | undefined {
  if (read === undefined) return undefined;
  const { manifest, facts } = read;
  const file = manifestFile(manifest.number);
  const { identity } = replay;
  if (identity === undefined) return corrupt(segmentFile(1), 0, `${file} has no log`);
  if (identity.cluster !== read.identity.cluster || identity.store !== read.identity.store) {
    return corrupt(file, 8, "the manifest belongs to another store than the log");
  }
  if (facts.batch <= replay.sequence) return undefined;
  const detail = `the log ends with batch ${replay.sequence}, and ${file} needs batch ${facts.batch}`;
  return corrupt(...endOf(replay), detail);
}

/** The last segment and its end: where a log that is too short should have gone on. */
function endOf(replay: Replay): [FileName, number] {
  const last = replay.segments[replay.segments.length - 1];
  return last === undefined ? [segmentFile(1), 0] : [segmentFile(last.number), last.size];
}

/** A sentence where the log of a group does not go on from what is known otherwise. */
function checkGroup(group: ReplayedGroup, applied: LogIndex): string | undefined {
  const { region, base, truncated, begun } = group.log;
  if (base !== truncated.index) {
    return `group ${region}: entries ${truncated.index + 1} to ${base} are missing`;
  }
  if (group.restored === undefined && truncated.index > Math.max(applied, begun)) {
    return `group ${region}: the log starts behind ${truncated.index}, and what is durable besides it ends at ${applied}`;
  }
  return undefined;
}

function logOf(replay: Replay): LogState {
  const holders = new Map<number, number>();
  const groups = tree.edit(tree.empty<GroupLog>());
  for (const { log } of replay.groups.values()) {
    for (const segment of heldSegments(log)) holders.set(segment, (holders.get(segment) ?? 0) + 1);
    groups.set(idKey(log.region), { ...log, anchored: true });
  }
  return {
    ...emptyLog(),
    segments: replay.segments.map(({ number, size }) => ({
      number,
      file: segmentFile(number),
      size,
      holders: holders.get(number) ?? 0,
    })),
    oldest: replay.oldest,
    sequence: replay.sequence,
    chain: replay.chain,
    seed: replay.seed,
    groups: groups.done(),
  };
}

function repairs(
  replay: Replay,
  read: ManifestReplay | undefined,
  files: Files,
  named: ReadonlyMap<number, TableMeta>,
): DiskOperation[] {
  const operations: DiskOperation[] = [];
  const remove = (file: FileName): void => void operations.push({ type: "remove", file });
  const last = replay.segments[replay.segments.length - 1];
  if (last !== undefined) {
    const file = segmentFile(last.number);
    if (replay.torn) operations.push({ type: "truncate", file, size: last.size });
    operations.push({ type: "sync", file });
  }
  if (read !== undefined) {
    const { number, size, torn } = read.manifest;
    const file = manifestFile(number);
    if (torn) operations.push({ type: "truncate", file, size });
    operations.push({ type: "sync", file });
  }
  for (const file of files.drafts) remove(file);
  for (const number of files.manifests.slice(0, -1)) remove(manifestFile(number));
  for (const number of files.tables) if (!named.has(number)) remove(tableFile(number));
  if (replay.leftover !== undefined) remove(replay.leftover);
  if (operations.length > 0) operations.push({ type: "sync_directory" });
  return operations;
}

function recoveredGroups(
  groups: readonly ReplayedGroup[],
  applied: AppliedIndex,
): readonly RecoveredGroup[] {
  const plain: RecoveredGroup[] = [];
  const restored: { readonly at: number; readonly group: RecoveredGroup }[] = [];
  for (const replayed of groups) {
    const group = recoveredGroup(replayed, applied(replayed.log.region));
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
