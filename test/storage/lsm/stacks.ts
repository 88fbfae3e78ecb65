/**
 * Any stack of sources, and beside it the map that its sources fold into, oldest to newest. Slow,
 * and obviously right.
 */
import fc from "fast-check";
import { EMPTY_KEY, inRange } from "../../../engine/base/bytes.ts";
import type { Key } from "../../../engine/base/bytes.ts";
import { emptyMemtable } from "../../../engine/storage/lsm/memtable/memtable.ts";
import { stackOf } from "../../../engine/storage/lsm/reading/stack.ts";
import { Workspace } from "../../../engine/storage/lsm/workspace.ts";
import type { Layer, Memtable, Stack } from "../../../engine/storage/lsm/types.ts";
import { TOMBSTONE } from "../../../engine/storage/table/types.ts";
import type { Clear, Entry, TableMeta } from "../../../engine/storage/table/types.ts";
import type { ColumnFamily, KvOperation } from "../../../engine/storage/types.ts";
import { MemoryTables } from "./memory-tables.ts";
import type { Pair } from "./memory-tables.ts";

/** What one source says: entries over its own clears. */
export interface SourceSpec {
  /** A value by number, or -1 for a tombstone. */
  readonly entries: readonly { readonly key: Key; readonly value: number }[];
  readonly clears: readonly Clear[];
}

export type OperationSpec =
  | { readonly type: "put"; readonly key: Key; readonly value: number }
  | { readonly type: "delete"; readonly key: Key }
  | { readonly type: "delete_range"; readonly start: Key; readonly end: Key };

export interface RunSpec {
  readonly source: SourceSpec;
  /** Where it is cut into tables. */
  readonly cuts: readonly Key[];
}

export type LayerSpec =
  | { readonly type: "memtable"; readonly operations: readonly OperationSpec[] }
  | { readonly type: "ingested"; readonly run: RunSpec };

/** All sources but the memtable, oldest first. */
export interface StackSpec {
  readonly levels: readonly RunSpec[];
  readonly level0: readonly SourceSpec[];
  readonly layers: readonly LayerSpec[];
}

/** The values that are there, by key. */
export type Model = ReadonlyMap<Key, number>;

export const valueOf = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >>> 8);
export const numberOf = (value: Uint8Array): number => value[0]! | (value[1]! << 8);

/** Sources and the family they are of. */
export class Built {
  readonly tables: MemoryTables = new MemoryTables();
  readonly cf: ColumnFamily;
  stack: Stack = stackOf(emptyMemtable());
  model: Model = new Map();

  constructor(cf: ColumnFamily, spec: StackSpec) {
    this.cf = cf;
    const levels = spec.levels.map((run) => this.run(run)).reverse();
    const level0 = spec.level0.flatMap((source) => this.run({ source, cuts: [] })).reverse();
    const version = {
      levels: { default: [], lock: [], write: [], [cf]: [level0, ...levels] },
    };
    this.stack = { ...this.stack, version };
    for (const layer of spec.layers) {
      const layers = [this.layer(layer), ...this.stack.layers];
      this.stack = { memtable: emptyMemtable(), layers, version };
    }
  }

  workspace(): Workspace {
    return new Workspace(this.stack, this.tables);
  }

  /** A workspace's operation; the model goes along. */
  perform(workspace: Workspace, operation: OperationSpec): void {
    const { cf } = this;
    const next = new Map(this.model);
    if (operation.type === "put") next.set(operation.key, operation.value);
    else if (operation.type === "delete") next.delete(operation.key);
    else clear(next, operation);
    this.model = next;
    workspace.perform(
      operation.type === "put"
        ? { ...operation, cf, value: valueOf(operation.value) }
        : ({ ...operation, cf } satisfies KvOperation),
    );
  }

  private layer(spec: LayerSpec): Layer {
    if (spec.type === "ingested") {
      return {
        type: "ingested",
        tables: this.run(spec.run),
        mark: undefined as never,
        sequence: 0,
      };
    }
    const memtable = this.filled(spec.operations);
    return { type: "memtable", memtable, marks: [], sequence: 0 };
  }

  private filled(operations: readonly OperationSpec[]): Memtable {
    const workspace = this.workspace();
    for (const operation of operations) this.perform(workspace, operation);
    return workspace.done();
  }

  private run({ source, cuts }: RunSpec): TableMeta[] {
    const next = new Map(this.model);
    for (const range of source.clears) clear(next, range);
    const entries = new Map(source.entries.map(({ key, value }) => [key, value]));
    for (const [key, value] of entries) {
      if (value < 0) next.delete(key);
      else next.set(key, value);
    }
    this.model = next;
    const pairs = [...entries]
      .map(([key, value]): Pair => [key, entryOf(value)])
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return this.cut(pairs, source.clears, cuts);
  }

  private cut(pairs: readonly Pair[], clears: readonly Clear[], cuts: readonly Key[]): TableMeta[] {
    const starts = [...new Set([EMPTY_KEY, ...cuts])].sort();
    return starts.flatMap((start, i) => {
      const end = starts[i + 1] ?? EMPTY_KEY;
      const own = pairs.filter(([key]) => inRange(key, start, end));
      const ownClears = disjoint(clears.flatMap((range) => clipped(range, start, end)));
      if (own.length + ownClears.length === 0) return [];
      return [this.tables.add(this.cf, own, ownClears)];
    });
  }
}

const entryOf = (value: number): Entry => (value < 0 ? TOMBSTONE : valueOf(value));

function clear(model: Map<Key, number>, { start, end }: Clear): void {
  for (const key of model.keys()) if (inRange(key, start, end)) model.delete(key);
}

function clipped(range: Clear, start: Key, end: Key): Clear[] {
  const from = range.start > start ? range.start : start;
  let to = range.end === EMPTY_KEY || (end !== EMPTY_KEY && end < range.end) ? end : range.end;
  if (end === EMPTY_KEY) to = range.end;
  return to !== EMPTY_KEY && from >= to ? [] : [{ start: from, end: to }];
}

/** Ascending, and those that overlap as one. */
function disjoint(clears: readonly Clear[]): Clear[] {
  const result: Clear[] = [];
  for (const next of clears.toSorted((a, b) => (a.start < b.start ? -1 : 1))) {
    const last = result.at(-1);
    if (last === undefined || (last.end !== EMPTY_KEY && last.end < next.start)) {
      result.push(next);
    } else if (last.end !== EMPTY_KEY && (next.end === EMPTY_KEY || next.end > last.end)) {
      result[result.length - 1] = { start: last.start, end: next.end };
    }
  }
  return result;
}

/** Keys of few letters, so that sources meet; now and then the empty one. */
export const anyKey: fc.Arbitrary<Key> = fc
  .string({ unit: fc.constantFrom("a", "b", "c", "\xff"), maxLength: 3 })
  .map((text) => text as Key);

const anyRange: fc.Arbitrary<Clear> = fc
  .tuple(anyKey, anyKey)
  .map(([a, b]) => (a < b || b === EMPTY_KEY ? { start: a, end: b } : { start: b, end: a }))
  .filter(({ start, end }) => start !== end || end === EMPTY_KEY);

const anyValue = fc.integer({ min: -60, max: 200 }).map((value) => Math.max(value, -1));

const anySource: fc.Arbitrary<SourceSpec> = fc.record({
  entries: fc.array(fc.record({ key: anyKey, value: anyValue }), { maxLength: 12 }),
  clears: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(anyRange, { maxLength: 3 }) },
  ),
});

const anyRun: fc.Arbitrary<RunSpec> = fc.record({
  source: anySource,
  cuts: fc.array(anyKey, { maxLength: 4 }),
});

export const anyOperation: fc.Arbitrary<OperationSpec> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("put" as const),
      key: anyKey,
      value: fc.integer({ min: 0, max: 999 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("delete" as const), key: anyKey }) },
  {
    weight: 1,
    arbitrary: anyRange.map((range) => ({ type: "delete_range" as const, ...range })),
  },
);

export const anyOperations: fc.Arbitrary<OperationSpec[]> = fc.array(anyOperation, {
  maxLength: 12,
});

const anyLayer: fc.Arbitrary<LayerSpec> = fc.oneof(
  fc.record({ type: fc.constant("memtable" as const), operations: anyOperations }),
  fc.record({ type: fc.constant("ingested" as const), run: anyRun }),
);

export const anyStack: fc.Arbitrary<StackSpec> = fc.record({
  levels: fc.array(anyRun, { maxLength: 3 }),
  level0: fc.array(anySource, { maxLength: 3 }),
  layers: fc.array(anyLayer, { maxLength: 3 }),
});
