/**
 * Prints what is in a file of ours, whatever it is called: its own first or last bytes say what it
 * is. What cannot be read is named in its place, and what stands behind it is still printed.
 */
import type { Key } from "../../engine/base/bytes.ts";
import { escaped } from "../../engine/base/bytes.ts";
import type { FileHeader } from "../../engine/storage/log/frame.ts";
import { TableCache } from "../../engine/storage/table/cache.ts";
import { TOMBSTONE } from "../../engine/storage/table/types.ts";
import type { Entry } from "../../engine/storage/table/types.ts";
import { batchContents, bound, editContents, hexOf, keyHex } from "./contents.ts";
import { tableText, tableValue } from "./contents.ts";
import { framesOf } from "./frames.ts";
import { OneFile } from "./one-file.ts";
import { tableByItself } from "./table-file.ts";
import { plural } from "./text.ts";

export interface DumpOptions {
  readonly json: boolean;
  /** Of a table: without the values. Of a log: without the records. */
  readonly keysOnly: boolean;
  /** Entries, batches or edits that are printed at most. */
  readonly limit: number;
}

/** A line, and whether it tells of damage. */
export interface Line {
  readonly text: string;
  readonly isDamage: boolean;
}

/** Letters of a value that are shown to people. */
const SHOWN_BYTES = 64;
const CACHE_BYTES = 1 << 20;

type Kind = FileHeader["kind"];
const MAGICS: Readonly<Record<string, Kind | "table">> = {
  RUTILEL: "log",
  RUTILEM: "manifest",
  RUTILET: "table",
};

/** The lines of `file`; undefined where it is none of ours. */
export function dump(file: OneFile, options: DumpOptions): Iterable<Line> | undefined {
  const size = file.size();
  const kind = magicAt(file, 0) ?? (size >= 8 ? magicAt(file, size - 8) : undefined);
  if (kind === undefined) return undefined;
  return kind === "table" ? dumpTable(file, options) : dumpFrames(file, kind, options);
}

function magicAt(file: OneFile, offset: number): Kind | "table" | undefined {
  const read = file.read("", offset, 7);
  return read.ok ? MAGICS[String.fromCharCode(...read.bytes)] : undefined;
}

function* dumpFrames(file: OneFile, kind: Kind, options: DumpOptions): Generator<Line> {
  const read = file.read("", 0, file.size());
  if (!read.ok) return yield damaged(options, 0, `the disk says ${read.reason}`);
  let left = options.limit;
  for (const part of framesOf(kind, read.bytes)) {
    if (part.type === "header") yield sound(options, headerText(part.header), part.header);
    else if (part.type === "damage") yield damaged(options, part.offset, part.detail);
    else if (left === 0) return undefined;
    else {
      left -= 1;
      yield* dumpFrame(kind, part.offset, part.sequence, part.payload, options);
    }
  }
  return undefined;
}

const FRAME_NAMES: Readonly<Record<Kind, string>> = {
  log: "batch",
  manifest: "edit",
};

function headerText({ kind, number, identity, sequence, oldest }: FileHeader): string {
  const { cluster, store } = identity;
  const whose = `${kind} ${number} of store ${store} in cluster ${cluster}`;
  const first = kind === "log" ? `; first batch ${sequence}; oldest segment needed ${oldest}` : "";
  return whose + first;
}

function* dumpFrame(
  kind: Kind,
  offset: number,
  sequence: number,
  payload: Uint8Array,
  options: DumpOptions,
): Generator<Line> {
  const name = FRAME_NAMES[kind];
  const text = `${name} ${sequence} at byte ${offset}: ${plural(payload.length, "byte")}`;
  const value = { [name]: sequence, offset, bytes: payload.length };
  if (options.keysOnly) return yield sound(options, text, value);
  const contents = kind === "log" ? batchContents(payload) : editContents(payload);
  if (contents === undefined) {
    return yield damaged(options, offset, `${name} ${sequence} is whole and makes no sense`);
  }
  yield sound(options, text, { ...value, contents: contents.value });
  if (!options.json)
    for (const line of contents.lines) yield { text: `  ${line}`, isDamage: false };
  return undefined;
}

function* dumpTable(file: OneFile, options: DumpOptions): Generator<Line> {
  const read = tableByItself(file, 0);
  if (!read.ok) return yield damaged(options, read.flaw.offset, read.flaw.detail);
  const meta = read.value;
  yield sound(options, tableText(meta), { table: tableValue(meta) });
  if (!options.json) {
    for (const { start, end } of meta.clears) {
      yield { text: `  clears ${escaped(start)} to ${bound(end)}`, isDamage: false };
    }
  }
  const tables = new TableCache(file, CACHE_BYTES);
  const cursor = tables.cursor(meta);
  let left = options.limit;
  let from: Key | undefined = meta.smallest;
  // A cursor ends at damage; the next one begins behind it.
  while (from !== undefined && left > 0) {
    for (cursor.seek(from); cursor.valid && left > 0; cursor.next()) {
      left -= 1;
      yield entryLine(cursor.key, cursor.entry, options);
    }
    from = undefined;
    for (const { offset, detail, end } of tables.takeDamage()) {
      yield damaged(options, offset, detail);
      if (end !== "") from = end;
    }
  }
  return undefined;
}

function entryLine(key: Key, entry: Entry, options: DumpOptions): Line {
  const shown = { text: escaped(key), isDamage: false };
  if (options.keysOnly) return options.json ? sound(options, "", { key: keyHex(key) }) : shown;
  if (options.json) {
    return sound(options, "", {
      key: keyHex(key),
      ...(entry === TOMBSTONE ? { deleted: true } : { value: hexOf(entry) }),
    });
  }
  if (entry === TOMBSTONE) return { text: `${shown.text} deleted`, isDamage: false };
  const value = escaped(entry.subarray(0, SHOWN_BYTES));
  const rest = entry.length > SHOWN_BYTES ? ` … (${plural(entry.length, "byte")})` : "";
  return { text: `${shown.text} = ${value}${rest}`, isDamage: false };
}

const sound = ({ json }: DumpOptions, text: string, value: object): Line => ({
  text: json ? stringify(value) : text,
  isDamage: false,
});

const damaged = ({ json }: DumpOptions, offset: number, detail: string): Line => ({
  text: json ? stringify({ damage: detail, offset }) : `DAMAGED at byte ${offset}: ${detail}`,
  isDamage: true,
});

/** Cluster ids do not fit a JSON number: they are text. */
export const stringify = (value: unknown): string =>
  JSON.stringify(value, (_name, item: unknown) => (typeof item === "bigint" ? `${item}` : item));
