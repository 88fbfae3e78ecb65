/**
 * The naive model of a store's directory: every ticket's records in a list, applied one by one
 * whenever somebody asks. Slow, and obviously right.
 */
import type { LogIndex, RegionId, Ticket } from "../../engine/base/ids.ts";
import type { GroupMark } from "../../engine/storage/lsm/types.ts";
import type { HardState } from "../../engine/raft/types.ts";
import type { LogRecord, RecoveredGroup } from "../../engine/storage/types.ts";

export interface ModelGroup {
  hardState: HardState;
  truncated: { index: number; term: number };
  entries: RecoveredGroup["entries"];
  restored: RecoveredGroup["restored"];
  restoredAt: number;
  tombstone: Uint8Array | undefined;
}

export interface Logged {
  readonly ticket: Ticket;
  readonly records: readonly LogRecord[];
}

const ZERO = { term: 0, vote: 0, commit: 0 } as unknown as HardState;

const fresh = (): ModelGroup => ({
  hardState: ZERO,
  truncated: { index: 0, term: 0 },
  entries: [],
  restored: undefined,
  restoredAt: 0,
  tombstone: undefined,
});

export const lastIndex = (group: ModelGroup | undefined): number =>
  group === undefined ? 0 : group.truncated.index + group.entries.length;

/** The groups after these records. */
export function replayed(logged: readonly Logged[]): Map<RegionId, ModelGroup> {
  const groups = new Map<RegionId, ModelGroup>();
  let restores = 0;
  for (const record of logged.flatMap(({ records }) => records)) {
    const group = groups.get(record.region) ?? fresh();
    groups.set(record.region, group);
    switch (record.type) {
      case "append": {
        group.hardState = record.hardState ?? group.hardState;
        const first = record.entries[0];
        if (first === undefined) break;
        const kept = group.entries.filter((entry) => entry.index < first.index);
        group.entries = [...kept, ...record.entries];
        group.tombstone = undefined;
        break;
      }
      case "compact":
        if (record.index < group.truncated.index) break;
        group.truncated = { index: record.index, term: record.term };
        group.entries = group.entries.filter((entry) => entry.index > record.index);
        if ((group.restored?.metadata.index ?? 0) <= record.index) group.restored = undefined;
        break;
      case "begin":
        if (group.truncated.index >= record.index) break;
        group.truncated = { index: record.index, term: record.term };
        group.tombstone = undefined;
        break;
      case "restore":
        restores += 1;
        Object.assign(group, fresh(), {
          hardState: record.hardState,
          truncated: { index: record.metadata.index, term: record.metadata.term },
          restored: { metadata: record.metadata, chunks: record.chunks, tables: record.tables },
          restoredAt: restores,
        });
        break;
      case "destroy":
        Object.assign(group, fresh(), { tombstone: record.meta });
        break;
    }
  }
  return groups;
}

/** What `open` should give for these records beside these marks. */
export function expected(logged: readonly Logged[], marks: readonly GroupMark[]): RecoveredGroup[] {
  const plain: RecoveredGroup[] = [];
  const restored: (readonly [number, RecoveredGroup])[] = [];
  const groups = [...replayed(logged)].sort(([a], [b]) => a - b);
  for (const [region, group] of groups) {
    const applied = marks.find((known) => known.region === region)?.applied ?? 0;
    const snapshot = group.restored;
    const isNewer = snapshot !== undefined && snapshot.metadata.index > applied;
    const result: RecoveredGroup = {
      region,
      hardState: group.hardState,
      truncated: group.truncated as RecoveredGroup["truncated"],
      entries: group.entries,
      restored: isNewer ? snapshot : undefined,
      tombstone: group.tombstone,
    };
    if (isNewer) restored.push([group.restoredAt, result]);
    else plain.push(result);
  }
  restored.sort(([a], [b]) => a - b);
  return [...plain, ...restored.map(([, group]) => group)];
}

/** The applied index of a region in these marks. */
export const appliedIn = (marks: readonly GroupMark[], region: number): LogIndex =>
  marks.find((mark) => mark.region === region)?.applied ?? (0 as LogIndex);
