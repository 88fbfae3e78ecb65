/**
 * Jobs: what takes long and touches only files that nobody else knows. Each `yield` is a slice of
 * operations, perhaps none, to be performed before the next is asked for. Every file is synced by
 * its last slice and the directory at the end, so that whoever hears of a table may rely on it.
 *
 * All jobs are one thing: sources in order of age are merged into new tables. The merged source
 * keeps the newest entry of each key, unless a newer source clears it, and the union of all clears.
 */
import { unreachable } from "../../../base/assert.ts";
import { EMPTY_KEY } from "../../../base/bytes.ts";
import type { Key } from "../../../base/bytes.ts";
import type { DiskOperation, DiskReader } from "../../disk.ts";
import { TableCache } from "../../table/cache.ts";
import { TOMBSTONE } from "../../table/types.ts";
import type { Clear, EntryCursor, TableDamage, TableMeta } from "../../table/types.ts";
import { COLUMN_FAMILIES } from "../../types.ts";
import type { ColumnFamily } from "../../types.ts";
import { ClearFinder, NO_CLEARS, clearsWithin, unite } from "../clears.ts";
import { filterOf, filtered, KEEP_VERSIONS } from "../compaction/filter.ts";
import type { EntryFilter, GarbageFilter } from "../compaction/filter.ts";
import { JobInput } from "./input.ts";
import { JobOutput } from "./output.ts";
import { MergeCursor } from "../reading/merge.ts";
import type { MergeInput } from "../reading/merge.ts";
import { MemtableEntries } from "../reading/source.ts";
import type { CompactionJob, ExtractJob, FlushJob, Job, JobFailure, JobOutcome } from "../types.ts";

/** Blocks that a job keeps: one of each run and the parts of its table. */
const CACHE_BYTES = 4 << 20;
/** Of an entry besides key and value, when a slice is measured. */
const ENTRY_BYTES = 16;

const ALL = Object.freeze({ lower: EMPTY_KEY, upper: EMPTY_KEY });

/** What becomes the tables of one family. */
interface Part {
  readonly cf: ColumnFamily;
  readonly cursor: EntryCursor;
  /** Where damage shows. */
  readonly inputs: readonly JobInput[];
  readonly from: Key;
  /** Of the tables to be made. */
  readonly clears: readonly Clear[];
  /** Nothing is under these tables that a tombstone could hide. */
  readonly bottom: boolean;
  readonly filter: EntryFilter;
}

const NO_FILTER: EntryFilter = filterOf({ type: "none" }, KEEP_VERSIONS);

/** The slices of `job`. Reads its tables through `disk`. */
export function* runJob(
  job: Job,
  disk: DiskReader,
  garbage: GarbageFilter = KEEP_VERSIONS,
): Generator<readonly DiskOperation[], JobOutcome, void> {
  const parts = partsOf(job, new TableCache(disk, CACHE_BYTES), garbage);
  const output = new JobOutput(job, job.type === "compaction" ? job.cuts : []);
  for (const [i, part] of parts.entries()) {
    output.begin(part.cf, part.clears, parts.length - 1 - i);
    yield* writePart(part, output, job.sliceBytes);
    const damage = damageIn(part);
    if (damage !== undefined) return { ok: false, failure: failureOf(damage) };
    output.end();
    yield output.slice();
  }
  if (output.tables.length > 0) yield [{ type: "sync_directory" }];
  const { tables, writtenBytes } = output;
  return { ok: true, result: { tables, writtenBytes, readBytes: readBytesOf(job) } };
}

function partsOf(job: Job, tables: TableCache, garbage: GarbageFilter): readonly Part[] {
  switch (job.type) {
    case "flush":
      return flushParts(job);
    case "compaction":
      return [compactionPart(job, tables, garbage)];
    case "extract":
      return extractParts(job, tables);
    default:
      return unreachable(job);
  }
}

function flushParts({ memtable }: FlushJob): readonly Part[] {
  const parts: Part[] = [];
  for (const cf of COLUMN_FAMILIES) {
    const clears = clearsWithin(memtable.clears[cf], ALL);
    if (memtable.entries[cf].size + clears.length === 0) continue;
    const cursor = new MemtableEntries(memtable, cf);
    const from = EMPTY_KEY;
    parts.push({ cf, cursor, inputs: [], from, clears, bottom: false, filter: NO_FILTER });
  }
  return parts;
}

function compactionPart(job: CompactionJob, tables: TableCache, garbage: GarbageFilter): Part {
  const { cf, bottom } = job;
  const filter = filterOf(job.filter, garbage);
  const { cursor, inputs, clears: own } = mergeOf(job.runs, job.covered, tables);
  const clears = bottom ? NO_CLEARS : own;
  return { cf, cursor, inputs, from: EMPTY_KEY, clears, bottom, filter };
}

function extractParts(job: ExtractJob, tables: TableCache): readonly Part[] {
  const { start, end } = job;
  const outside: Clear[] = [];
  if (start !== EMPTY_KEY) outside.push({ start: EMPTY_KEY, end: start });
  if (end !== EMPTY_KEY) outside.push({ start: end, end: EMPTY_KEY });
  // Whoever takes these tables on top has nothing of the range but what is in them.
  const clears = [{ start, end }];
  return job.families.map(({ cf, runs }) => {
    const { cursor, inputs } = mergeOf(runs, outside, tables);
    return { cf, cursor, inputs, from: start, clears, bottom: true, filter: NO_FILTER };
  });
}

/** One sequence of the runs, newest first; `covered` hides things in all of them. */
function mergeOf(
  runs: readonly (readonly TableMeta[])[],
  covered: readonly Clear[],
  tables: TableCache,
): Pick<Part, "cursor" | "inputs" | "clears"> {
  const inputs: JobInput[] = [];
  const sources: MergeInput[] = [];
  let hidden = covered;
  let clears = NO_CLEARS;
  for (const run of runs) {
    const cursor = new JobInput(run, tables, hidden);
    inputs.push(cursor);
    sources.push({ cursor, hidden });
    const own = run.flatMap((table) => table.clears);
    hidden = unite(hidden, own);
    clears = unite(clears, own);
  }
  return { cursor: new MergeCursor(sources), inputs, clears };
}

/** Writes the entries of a part; ends early where it meets damage. */
function* writePart(
  { cursor, inputs, from, clears, bottom, filter }: Part,
  output: JobOutput,
  sliceBytes: number,
): Generator<readonly DiskOperation[], void, void> {
  const cleared = clears.length === 0 ? undefined : new ClearFinder(clears);
  let work = 0;
  for (cursor.seek(from); cursor.valid; cursor.next()) {
    const { key } = cursor;
    const entry = filtered(filter, key, cursor.entry);
    if (entry !== TOMBSTONE) {
      output.add(key, entry);
      work += entry.length;
    } else if (!bottom && cleared?.covering(key) === undefined) {
      // Where the same table clears the key, a tombstone says nothing more.
      output.add(key, entry);
    }
    work += ENTRY_BYTES + key.length;
    if (work < sliceBytes) continue;
    work = 0;
    yield output.slice();
    if (inputs.some(({ damage }) => damage !== undefined)) return;
  }
}

const damageIn = ({ inputs }: Part): TableDamage | undefined =>
  inputs.find(({ damage }) => damage !== undefined)?.damage;

const failureOf = (damage: TableDamage): JobFailure => ({
  reason: damage.reason === "corrupt" ? "corrupt" : "io_error",
  file: damage.file,
  offset: damage.offset,
  detail: damage.detail,
  damage,
});

function readBytesOf(job: Job): number {
  switch (job.type) {
    case "flush":
      return 0;
    case "compaction":
      return bytesOf(job.runs);
    case "extract":
      return job.families.reduce((sum, { runs }) => sum + bytesOf(runs), 0);
    default:
      return unreachable(job);
  }
}

const bytesOf = (runs: readonly (readonly TableMeta[])[]): number =>
  runs.reduce((sum, run) => run.reduce((inner, { size }) => inner + size, sum), 0);
