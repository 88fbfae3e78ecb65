/**
 * Checks every checksum and every reference in the directory of a stopped store or placement
 * member: each frame of the log and of the other framed files, each table, and, by opening it all
 * as a starting process would, that they belong together. Nothing is changed.
 */
import { createWire } from "../../engine/base/wire.ts";
import type { Key } from "../../engine/base/bytes.ts";
import type { RegionId } from "../../engine/base/ids.ts";
import type { DiskReader, FileName } from "../../engine/storage/disk.ts";
import { fileNumber, finalName } from "../../engine/storage/files.ts";
import type { FileHeader } from "../../engine/storage/log/frame.ts";
import { DEFAULT_LSM } from "../../engine/storage/lsm/config.ts";
import { replayManifest } from "../../engine/storage/lsm/manifest/manifest.ts";
import { allTables } from "../../engine/storage/lsm/version.ts";
import { open } from "../../engine/storage/open.ts";
import { tableFile, tableNumber } from "../../engine/storage/table/file.ts";
import type { TableDamage, TableMeta } from "../../engine/storage/table/types.ts";
import { verifyTable } from "../../engine/storage/table/verify.ts";
import type { ColumnFamily, Identity, Recovered } from "../../engine/storage/types.ts";
import { framesOf } from "./frames.ts";
import { tableByItself } from "./table-file.ts";

/** A place that is not as it was written, or not what another place says it is. */
export interface Finding {
  readonly file: FileName;
  readonly offset: number;
  readonly reason: "corrupt" | "unreadable";
  readonly detail: string;
  /** What cannot be known because of it; an empty end is no bound. */
  readonly keys?: { readonly cf: ColumnFamily; readonly start: Key; readonly end: Key };
}

export interface Report {
  /** Undefined where no file says whose it is. */
  readonly identity: Identity | undefined;
  readonly logs: number;
  readonly tables: number;
  readonly bytes: number;
  readonly findings: readonly Finding[];
  /** Regions whose data was found damaged before, and that wait for a snapshot. */
  readonly quarantined: readonly RegionId[];
  /** Files that nothing names: removed when the store is started next. */
  readonly leftovers: readonly FileName[];
}

/** How far it is, in bytes. */
export interface Progress {
  readonly file: FileName;
  readonly done: number;
  readonly total: number;
}

type Kind = FileHeader["kind"];
const KINDS: readonly Kind[] = ["log", "manifest"];

const kindOf = (file: FileName): Kind | undefined =>
  KINDS.find((kind) => fileNumber(kind, file) !== undefined);

/** Whether the file is one of a store's or a member's, whole or not. */
export const isOurs = (file: FileName): boolean =>
  tableNumber(file) !== undefined || kindOf(finalName(file) ?? file) !== undefined;

/** Yields before each file that is read. */
export function* verify(reader: DiskReader): Generator<Progress, Report> {
  const files = reader.list().filter(isOurs);
  const sizes = new Map(files.map((file) => [file, reader.size(file) ?? 0]));
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  let done = 0;
  const progress = (file: FileName): Progress => {
    const before = done;
    done += sizes.get(file) ?? 0;
    return { file, done: before, total };
  };
  const findings: Finding[] = [];
  const opened = open(reader, UNUSED, createWire());
  if (!opened.ok) {
    const { file, offset, reason, detail } = opened;
    findings.push({ file, offset, reason, detail });
  }
  const logs = files.filter((file) => kindOf(file) === "log");
  const manifests = files.filter((file) => kindOf(file) === "manifest");
  for (const file of files) {
    const kind = kindOf(file);
    if (kind === undefined) continue;
    yield progress(file);
    // What a crash may have left at their ends is opening's to judge.
    const mayBeTorn = file === logs.at(-1) || file === manifests.at(-1);
    findings.push(...framedFindings(reader, file, kind, mayBeTorn, findings));
  }
  const numbers = files.flatMap((file) => tableNumber(file) ?? []);
  const named = opened.ok ? tablesOf(opened.recovered) : tablesByManifest(reader, manifests.at(-1));
  for (const number of new Set([...(named?.keys() ?? []), ...numbers])) {
    const meta = named?.get(number);
    if (named !== undefined && meta === undefined) continue;
    yield progress(tableFile(number));
    findings.push(...tableFindings(reader, number, meta));
  }
  const leftovers = files.filter((file) => {
    const number = tableNumber(file);
    return number === undefined ? finalName(file) !== undefined : named?.has(number) === false;
  });
  return {
    identity: opened.ok ? opened.recovered.identity : undefined,
    logs: logs.length,
    tables: numbers.length,
    bytes: total,
    findings,
    quarantined: opened.ok ? opened.recovered.quarantined : [],
    leftovers,
  };
}

type Named = ReadonlyMap<number, TableMeta>;

/** The tables that a starting process needs. */
function tablesOf({ stack, groups }: Recovered): Named {
  const tables = [...allTables(stack.version)].map(({ table }) => table);
  for (const { restored } of groups) tables.push(...(restored?.tables ?? []));
  return new Map(tables.map((table) => [table.number, table]));
}

/** What the manifest alone names; undefined where it cannot be read either. */
function tablesByManifest(reader: DiskReader, file: FileName | undefined): Named | undefined {
  const number = file === undefined ? undefined : fileNumber("manifest", file);
  if (number === undefined) return undefined;
  const read = replayManifest(reader, number, createWire());
  if (!read.ok) return undefined;
  const tables = [...allTables(read.facts.version)];
  return new Map(tables.map(({ table }) => [table.number, table]));
}

/** Damage of a table, by what it says of itself where nothing else describes it. */
function tableFindings(
  reader: DiskReader,
  number: number,
  known: TableMeta | undefined,
): readonly Finding[] {
  const meta = known ?? tableByItself(reader, number);
  if ("ok" in meta) {
    if (!meta.ok) return [{ ...meta.flaw, file: tableFile(number) }];
    return verifyTable(reader, meta.value).map(tableFinding);
  }
  return verifyTable(reader, meta).map(tableFinding);
}

const tableFinding = ({ file, offset, reason, detail, cf, start, end }: TableDamage): Finding => ({
  file,
  offset,
  reason,
  detail,
  keys: { cf, start, end },
});

/** Damage in a framed file that is not in `known`. */
function framedFindings(
  reader: DiskReader,
  file: FileName,
  kind: Kind,
  mayBeTorn: boolean,
  known: readonly Finding[],
): Finding[] {
  const read = reader.read(file, 0, reader.size(file) ?? 0);
  if (!read.ok) {
    const detail = `the disk says ${read.reason}`;
    return isKnown(known, file, 0) ? [] : [{ file, offset: 0, reason: "unreadable", detail }];
  }
  const findings: Finding[] = [];
  for (const part of framesOf(kind, read.bytes)) {
    if (part.type !== "damage" || (part.isTail && mayBeTorn)) continue;
    const { offset, detail } = part;
    if (!isKnown(known, file, offset)) findings.push({ file, offset, reason: "corrupt", detail });
  }
  return findings;
}

const isKnown = (known: readonly Finding[], file: FileName, offset: number): boolean =>
  known.some((finding) => finding.file === file && finding.offset === offset);

/** Opening for reading asks for no sizes. */
const UNUSED = { segmentBytes: 1 << 20, sliceBytes: 1 << 20, lsm: DEFAULT_LSM };
