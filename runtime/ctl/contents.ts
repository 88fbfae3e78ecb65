/** What the frames of a log or a manifest say: for people a line each, for programs as a value. */
import type { Key } from "../../engine/base/bytes.ts";
import { escaped, keyToBytes } from "../../engine/base/bytes.ts";
import { createWire } from "../../engine/base/wire.ts";
import { describeRecord } from "../../engine/storage/describe.ts";
import { decodeBatch } from "../../engine/storage/log/record.ts";
import { decodeEdit } from "../../engine/storage/lsm/manifest/edit.ts";
import type { TableMeta } from "../../engine/storage/table/types.ts";
import { plural, sizeText } from "./text.ts";

export interface Contents {
  readonly lines: readonly string[];
  readonly value: object;
}

/** Undefined where the payload makes no sense. */
export function batchContents(payload: Uint8Array): Contents | undefined {
  const batch = decodeBatch(payload, createWire());
  if (batch === undefined) return undefined;
  const records = batch.records.map(describeRecord);
  return { lines: records, value: { oldest: batch.oldest, records } };
}

/** Undefined where the payload makes no sense. */
export function editContents(payload: Uint8Array): Contents | undefined {
  const edit = decodeEdit(payload, createWire());
  if (edit === undefined) return undefined;
  const { batch, nextNumber, added, removed, marks, forgotten, quarantined, healed } = edit;
  const regions = (name: string, list: readonly number[]): string[] =>
    list.length === 0 ? [] : [`${name} regions ${list.join(" ")}`];
  const lines = [
    `needs batch ${batch} of the log; the next table is ${nextNumber}`,
    ...added.map(
      ({ level, table }) => `add to level ${level} ${table.number}: ${tableText(table)}`,
    ),
    ...removed.map(({ cf, level, number }) => `remove from level ${level} ${number} of ${cf}`),
    ...marks.map(
      ({ region, applied, appliedTerm, meta }) =>
        `mark region=${region} applied=${applied} term=${appliedTerm} meta=${meta.length} bytes`,
    ),
    ...regions("forget", forgotten),
    ...regions("quarantine", quarantined),
    ...regions("heal", healed),
  ];
  const value = {
    batch,
    nextNumber,
    added: added.map(({ level, table }) => ({ level, number: table.number, ...tableValue(table) })),
    removed,
    marks: marks.map(({ meta, ...mark }) => ({ ...mark, metaBytes: meta.length })),
    forgotten,
    quarantined,
    healed,
  };
  return { lines, value };
}

export function tableText(meta: TableMeta): string {
  const entries = `${meta.entries.toLocaleString("en")} entr${meta.entries === 1 ? "y" : "ies"}`;
  const tombstones = plural(meta.tombstones, "tombstone");
  const largest = meta.largestExclusive ? `before ${bound(meta.largest)}` : escaped(meta.largest);
  return (
    `table of ${meta.cf}, ${sizeText(meta.size)}, ${entries} (${tombstones}), ` +
    `${plural(meta.clears.length, "clear")}, keys ${escaped(meta.smallest)} to ${largest}`
  );
}

/** The end of a range of keys. */
export const bound = (end: Key): string => (end === "" ? "the end" : escaped(end));

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const keyHex = (key: Key): string => hexOf(keyToBytes(key));

export const tableValue = (meta: TableMeta): object => ({
  cf: meta.cf,
  size: meta.size,
  entries: meta.entries,
  tombstones: meta.tombstones,
  crc32: meta.crc32,
  smallest: keyHex(meta.smallest),
  largest: keyHex(meta.largest),
  largestExclusive: meta.largestExclusive,
  clears: meta.clears.map(({ start, end }) => ({ start: keyHex(start), end: keyHex(end) })),
});
