/**
 * What a manifest says, and how one edit changes it.
 *
 * An edit is msgpack, one frame of the manifest:
 *
 * ```
 * edit     [batch, next number, [[level, table], …], [[family, level, number], …],
 *           [mark, …], [region, …], [region, …], [region, …], [[family, level, key], …]]
 *          batch: of the log, that must be durable. Then: tables added (of level 0 newest first)
 *          and removed; marks set and forgotten; regions quarantined and healed; pointers.
 * mark     [region, applied, term of it, meta]
 * ```
 *
 * Tables are tuples of `table-codec.ts`.
 */
import { idKey } from "../../../base/big-endian.ts";
import { keyToBytes } from "../../../base/bytes.ts";
import type { Key } from "../../../base/bytes.ts";
import type { LogIndex, RegionId, Term } from "../../../base/ids.ts";
import * as tree from "../../../base/tree.ts";
import type { Tree } from "../../../base/tree.ts";
import {
  expectBytes,
  expectCount,
  expectKey,
  expectList,
  expectTuple,
  malformed,
} from "../../../base/wire.ts";
import type { Wire } from "../../../base/wire.ts";
import { COLUMN_FAMILIES } from "../../types.ts";
import type { ColumnFamily } from "../../types.ts";
import { emptyVersion } from "../reading/stack.ts";
import { readFamily, readTable, tableToTuple } from "./table-codec.ts";
import type { GroupMark, Version } from "../types.ts";
import { LEVELS, allTables, withTables } from "../version.ts";
import type { Leaving, Placed } from "../version.ts";

/** What a manifest says. */
export interface Facts {
  readonly version: Version;
  /** By `idKey` of the region. */
  readonly marks: Tree<GroupMark>;
  readonly quarantined: ReadonlySet<RegionId>;
  /** For each family and level, where its next compaction begins to look. */
  readonly pointers: Pointers;
  /** No table has this number or one above it. */
  readonly nextNumber: number;
  /** The batch of the log that all of this presupposes. */
  readonly batch: number;
}

export type Pointers = { readonly [F in ColumnFamily]: readonly Key[] };

/** Where the next compaction of a level begins to look. */
export interface Pointer {
  readonly cf: ColumnFamily;
  readonly level: number;
  readonly key: Key;
}

/** A change of the facts, durable as a whole. */
export interface ManifestEdit {
  readonly batch: number;
  readonly nextNumber: number;
  readonly added: readonly Placed[];
  readonly removed: readonly Leaving[];
  readonly marks: readonly GroupMark[];
  readonly forgotten: readonly RegionId[];
  readonly quarantined: readonly RegionId[];
  readonly healed: readonly RegionId[];
  readonly pointers: readonly Pointer[];
}

export function noFacts(): Facts {
  const none: readonly Key[] = Array.from({ length: LEVELS }, () => "" as Key);
  return {
    version: emptyVersion(),
    marks: tree.empty(),
    quarantined: new Set(),
    pointers: { default: none, lock: none, write: none },
    nextNumber: 1,
    batch: 0,
  };
}

/** The facts after `edit`; a sentence where it cannot be true. */
export function applyEdit(facts: Facts, edit: ManifestEdit): Facts | string {
  const version = withTables(facts.version, edit.removed, edit.added);
  if (typeof version === "string") return version;
  const marks = tree.edit(facts.marks);
  for (const mark of edit.marks) marks.set(idKey(mark.region), mark);
  for (const region of edit.forgotten) marks.remove(idKey(region));
  const quarantined = new Set([...facts.quarantined, ...edit.quarantined]);
  for (const region of edit.healed) quarantined.delete(region);
  let { pointers } = facts;
  for (const { cf, level, key } of edit.pointers) {
    pointers = { ...pointers, [cf]: pointers[cf].map((old, i) => (i === level ? key : old)) };
  }
  return {
    version,
    marks: marks.done(),
    quarantined,
    pointers,
    nextNumber: Math.max(facts.nextNumber, edit.nextNumber),
    batch: Math.max(facts.batch, edit.batch),
  };
}

/** The edit that makes these facts out of none. */
export function editOf(facts: Facts): ManifestEdit {
  return {
    batch: facts.batch,
    nextNumber: facts.nextNumber,
    added: [...allTables(facts.version)],
    removed: [],
    marks: [...tree.entries(facts.marks)].map(([, mark]) => mark),
    forgotten: [],
    quarantined: [...facts.quarantined].sort((a, b) => a - b),
    healed: [],
    pointers: COLUMN_FAMILIES.flatMap((cf) =>
      facts.pointers[cf].flatMap((key, level) => (key === "" ? [] : [{ cf, level, key }])),
    ),
  };
}

export function encodeEdit(edit: ManifestEdit, wire: Wire): Uint8Array {
  return wire.encode([
    edit.batch,
    edit.nextNumber,
    edit.added.map(({ level, table }) => [level, tableToTuple(table)]),
    edit.removed.map(({ cf, level, number }) => [COLUMN_FAMILIES.indexOf(cf), level, number]),
    edit.marks.map((mark) => [mark.region, mark.applied, mark.appliedTerm, mark.meta]),
    edit.forgotten,
    edit.quarantined,
    edit.healed,
    edit.pointers.map(({ cf, level, key }) => [
      COLUMN_FAMILIES.indexOf(cf),
      level,
      keyToBytes(key),
    ]),
  ]);
}

/** Undefined for bytes that `encodeEdit` does not make. Keeps nothing of `payload`. */
export function decodeEdit(payload: Uint8Array, wire: Wire): ManifestEdit | undefined {
  const decoded = wire.decodeWith(payload, readEdit);
  return decoded.ok ? decoded.value : undefined;
}

function readEdit(value: unknown): ManifestEdit {
  const tuple = expectTuple(value, 9, "edit");
  return {
    batch: expectCount(tuple[0], "batch"),
    nextNumber: expectCount(tuple[1], "next number"),
    added: expectList(tuple[2], readPlaced, "added"),
    removed: expectList(tuple[3], readLeaving, "removed"),
    marks: expectList(tuple[4], readMark, "marks"),
    forgotten: expectList(tuple[5], readRegion, "forgotten"),
    quarantined: expectList(tuple[6], readRegion, "quarantined"),
    healed: expectList(tuple[7], readRegion, "healed"),
    pointers: expectList(tuple[8], readPointer, "pointers"),
  };
}

function readPlaced(value: unknown): Placed {
  const [level, table] = expectTuple(value, 2, "added table");
  return { level: readLevel(level), table: readTable(table) };
}

function readLeaving(value: unknown): Leaving {
  const [cf, level, number] = expectTuple(value, 3, "removed table");
  return { cf: readFamily(cf), level: readLevel(level), number: expectCount(number, "number") };
}

function readMark(value: unknown): GroupMark {
  const [region, applied, term, meta] = expectTuple(value, 4, "mark");
  return {
    region: readRegion(region),
    applied: expectCount(applied, "applied") as LogIndex,
    appliedTerm: expectCount(term, "applied term") as Term,
    // What is decoded are views of the whole manifest.
    meta: expectBytes(meta, "meta").slice(),
  };
}

function readPointer(value: unknown): Pointer {
  const [cf, level, key] = expectTuple(value, 3, "pointer");
  return { cf: readFamily(cf), level: readLevel(level), key: expectKey(key, "pointer") };
}

const readRegion = (value: unknown): RegionId => expectCount(value, "region") as RegionId;

const readLevel = (value: unknown): number => {
  const level = expectCount(value, "level");
  return level < LEVELS ? level : malformed("level: too deep");
};
