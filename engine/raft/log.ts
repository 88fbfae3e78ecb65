/**
 * The log of one group as a value: a persistent vector of entries in chunks of 64, aligned to their
 * index. Appending copies at most one chunk of references; cutting off either end copies at most
 * one chunk and the list of chunks. Older logs stay as they were.
 */
import type { LogIndex, Term } from "../base/ids.ts";
import type { Entry } from "./types.ts";
import { assert } from "../base/assert.ts";
import { plusIndex } from "../base/ids.ts";

/** Entries `base + 1` to `last`. Build and read it only by the functions of this file. */
export interface Log {
  /**
   * The last entry that is not in the log any more: everything up to it is in the state machine. 0
   * for none.
   */
  readonly base: LogIndex;
  readonly baseTerm: Term;
  /** The last entry; `base` where the log is empty. */
  readonly last: LogIndex;
  readonly lastTerm: Term;
  /** Number of the first chunk in `chunks`. Chunk n holds what the log has of [64 n, 64 n + 64). */
  readonly firstChunk: number;
  /** Complete at their end; the first may lack entries at its front. */
  readonly chunks: readonly (readonly Entry[])[];
  /** The chunk behind `chunks`, which takes the next entry. */
  readonly tail: readonly Entry[];
  /** What all entries count for. */
  readonly bytes: number;
}

const CHUNK = 64;
const chunkOf = (index: number): number => Math.floor(index / CHUNK);

/** What an entry costs beside its data, in bytes, wherever sizes of entries are limited. */
export const ENTRY_OVERHEAD_BYTES = 16;

/** What `entry` counts for in limits, in bytes. */
export const entrySize = (entry: Entry): number => entry.data.length + ENTRY_OVERHEAD_BYTES;

/** The empty log behind `base`. */
export function emptyLog(base: LogIndex, baseTerm: Term): Log {
  return {
    base,
    baseTerm,
    last: base,
    lastTerm: baseTerm,
    firstChunk: chunkOf(base + 1),
    chunks: [],
    tail: [],
    bytes: 0,
  };
}

/** `log` with `entries` behind its last one. */
export function append(log: Log, entries: readonly Entry[]): Log {
  const count = entries.length;
  if (count === 0) return log;
  assert(entries[0]!.index === log.last + 1, "entries follow the last one");
  assert(entries[0]!.term >= log.lastTerm, "terms in a log never fall");
  let chunks = log.chunks;
  let tail = log.tail.slice();
  let { bytes } = log;
  for (let i = 0; i < count; i++) {
    const entry = entries[i]!;
    tail.push(entry);
    bytes += entrySize(entry);
    if ((entry.index + 1) % CHUNK === 0) {
      chunks = [...chunks, tail];
      tail = [];
    }
  }
  const end = entries[count - 1]!;
  assert(end.index === log.last + count, "indexes in a log are consecutive");
  return {
    base: log.base,
    baseTerm: log.baseTerm,
    last: end.index,
    lastTerm: end.term,
    firstChunk: log.firstChunk,
    chunks,
    tail,
    bytes,
  };
}

/** What the entries `first` to `last` count for. */
function bytesOf(log: Log, first: LogIndex, last: LogIndex): number {
  let bytes = 0;
  for (let index = first; index <= last; index = plusIndex(index, 1)) {
    bytes += entrySize(entryAt(log, index));
  }
  return bytes;
}

/** `log` without the entries behind `index`. */
export function truncateAfter(log: Log, index: LogIndex): Log {
  if (index >= log.last) return log;
  assert(index >= log.base, "only what is in the log is truncated");
  const chunk = chunkOf(index + 1);
  const open = chunkAt(log, chunk);
  return {
    base: log.base,
    baseTerm: log.baseTerm,
    last: index,
    lastTerm: termAt(log, index)!,
    firstChunk: log.firstChunk,
    chunks: log.chunks.slice(0, chunk - log.firstChunk),
    tail: open.slice(0, index + 1 - startOf(log, chunk)),
    bytes: log.bytes - bytesOf(log, plusIndex(index, 1), log.last),
  };
}

/** `log` without the entries up to `index`. */
export function compactTo(log: Log, index: LogIndex): Log {
  if (index <= log.base) return log;
  assert(index <= log.last, "only what is in the log is compacted");
  const baseTerm = termAt(log, index)!;
  if (index === log.last) return emptyLog(index, baseTerm);
  const chunk = chunkOf(index + 1);
  const kept = chunkAt(log, chunk).slice(index + 1 - startOf(log, chunk));
  const skipped = chunk - log.firstChunk;
  const inTail = skipped === log.chunks.length;
  return {
    base: index,
    baseTerm,
    last: log.last,
    lastTerm: log.lastTerm,
    firstChunk: chunk,
    chunks: inTail ? [] : [kept, ...log.chunks.slice(skipped + 1)],
    tail: inTail ? kept : log.tail,
    bytes: log.bytes - bytesOf(log, plusIndex(log.base, 1), index),
  };
}

/**
 * The term of the entry at `index`; undefined where the log does not know it (never 0 for
 * "unknown").
 */
export function termAt(log: Log, index: LogIndex): Term | undefined {
  if (index === log.last) return log.lastTerm;
  if (index === log.base) return log.baseTerm;
  if (index < log.base || index > log.last) return undefined;
  return entryAt(log, index).term;
}

/** The entry at `index`, which must be in the log. */
export function entryAt(log: Log, index: LogIndex): Entry {
  assert(index > log.base && index <= log.last, "the entry is in the log");
  const chunk = chunkOf(index);
  return chunkAt(log, chunk)[index - startOf(log, chunk)]!;
}

/** Entries `from` to `to`, both included: as many as fit in `maxBytes`, and at least one. */
export function slice(
  log: Log,
  from: LogIndex,
  to: LogIndex,
  maxBytes: number = Number.POSITIVE_INFINITY,
): readonly Entry[] {
  const entries: Entry[] = [];
  let bytes = 0;
  for (let index = from; index <= to; index = plusIndex(index, 1)) {
    const entry = entryAt(log, index);
    bytes += entrySize(entry);
    if (bytes > maxBytes && entries.length > 0) break;
    entries.push(entry);
  }
  return entries;
}

/**
 * The largest index up to `index` whose term is at most `term`: where a log that has (index, term)
 * can at best agree with this one. Below the base of the log where only a snapshot can tell.
 */
export function agreementBefore(log: Log, index: LogIndex, term: Term): LogIndex {
  let at = index < log.last ? index : log.last;
  while (at > 0 && at >= log.base && termAt(log, at)! > term) at = plusIndex(at, -1);
  return at;
}

function chunkAt(log: Log, chunk: number): readonly Entry[] {
  const at = chunk - log.firstChunk;
  return at === log.chunks.length ? log.tail : log.chunks[at]!;
}

function startOf(log: Log, chunk: number): number {
  return Math.max(chunk * CHUNK, log.base + 1);
}
