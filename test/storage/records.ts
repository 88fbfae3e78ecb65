/** Short spellings of records, entries and marks for the tests of this room. */
import { Key } from "../../engine/base/bytes.ts";
import { LogIndex, PeerId, RegionId, Term } from "../../engine/base/ids.ts";
import type { Entry, HardState } from "../../engine/raft/types.ts";
import type { TableMeta } from "../../engine/storage/table/types.ts";
import type { GroupMark } from "../../engine/storage/lsm/types.ts";
import type { LogRecord } from "../../engine/storage/types.ts";

export const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

export const entry = (index: number, term = 1, data = `entry ${index}`): Entry => ({
  index: LogIndex(index),
  term: Term(term),
  type: "normal",
  data: bytes(data),
});

export const entriesFrom = (first: number, last: number, term = 1): Entry[] =>
  Array.from({ length: last - first + 1 }, (_, i) => entry(first + i, term));

export const hardState = (term: number, vote = 0, commit = 0): HardState => ({
  term: Term(term),
  vote: PeerId(vote),
  commit: LogIndex(commit),
});

export const append = (
  region: number,
  entries: readonly Entry[],
  state?: HardState,
): LogRecord => ({ type: "append", region: RegionId(region), hardState: state, entries });

export const compact = (region: number, index: number, term = 1): LogRecord => ({
  type: "compact",
  region: RegionId(region),
  index: LogIndex(index),
  term: Term(term),
});

/** A group that starts behind this entry, with data it has from elsewhere. */
export const begin = (region: number, index: number, term = 1): LogRecord => ({
  type: "begin",
  region: RegionId(region),
  index: LogIndex(index),
  term: Term(term),
});

export const restore = (
  region: number,
  index: number,
  term = 1,
  chunk = "data",
  tables: readonly TableMeta[] = [],
): LogRecord => ({
  type: "restore",
  region: RegionId(region),
  hardState: hardState(term, 0, index),
  metadata: {
    index: LogIndex(index),
    term: Term(term),
    configuration: {
      voters: [PeerId(1), PeerId(2)],
      outgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
    },
  },
  chunks: [bytes(chunk)],
  tables,
});

export const destroy = (region: number, meta = "gone"): LogRecord => ({
  type: "destroy",
  region: RegionId(region),
  meta: bytes(meta),
});

/** Marks with these applied indexes by region. */
export const marks = (applied: Readonly<Record<number, number>>): readonly GroupMark[] =>
  Object.entries(applied)
    .map(([region, index]) => ({
      region: RegionId(Number(region)),
      applied: LogIndex(index),
      appliedTerm: Term(1),
      meta: bytes(`meta of ${region}`),
    }))
    .sort((a, b) => a.region - b.region);

/** A table's description that names [smallest, largest] and says nothing else of interest. */
export const meta = (
  number: number,
  smallest: string,
  largest: string,
  fields: Partial<TableMeta> = {},
): TableMeta => ({
  number,
  cf: "default",
  size: 1000,
  entries: 10,
  tombstones: 0,
  clears: [],
  smallest: Key(smallest),
  largest: Key(largest),
  largestExclusive: false,
  crc32: 7,
  ...fields,
});
