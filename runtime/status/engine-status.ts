/**
 * What the storage engine of a store says of itself: room, memory, and how far it is behind, for
 * `/status`; the same with its levels, caches and jobs under TiKV's names for `/metrics`.
 */
import type { StoreState } from "../../engine/store/index.ts";
import { pressure } from "../../engine/storage/lsm/pressure.ts";
import type { TableCache } from "../../engine/storage/table/cache.ts";
import { COLUMN_FAMILIES } from "../../engine/storage/types.ts";
import type { JobRunner } from "../jobs/jobs.ts";
import type { Family, Sample } from "../metrics/registry.ts";

/** Levels below 0 are runs of disjoint tables; there are never more. */
const LEVELS = 7;

/** TiKV has two engines in a store; ours is the one with the data. */
const KV = { db: "kv" } as const;

export interface ObservedEngine {
  readonly state: () => StoreState;
  readonly tables: TableCache;
  readonly jobs: JobRunner;
}

/** Bytes in memory that count for the store's budget. */
function memoryOf(state: StoreState, tables: TableCache): Readonly<Record<string, number>> {
  const { memtableBytes, frozenBytes } = pressure(state.storage);
  return {
    "mem-tables": memtableBytes + frozenBytes,
    "block-cache": tables.usedBytes,
    "raft-entries": state.raftBytes,
    "waiting-writes": state.lineBytes,
  };
}

/** A part of `/status`. */
export function engineStatus({ state, tables }: ObservedEngine): object {
  const now = state();
  const { throttle, capacityBytes } = now.config;
  const { layers, levelZero, debtBytes, stalled } = pressure(now.storage);
  const memory = memoryOf(now, tables);
  return {
    disk: {
      capacity_bytes: capacityBytes,
      free_bytes: now.freeBytes,
      reserve_bytes: throttle.reserveBytes,
      /** Below the reserve writes are refused until there is room again. */
      full: now.freeBytes < throttle.reserveBytes,
    },
    memory: {
      used_bytes: Object.values(memory).reduce((sum, bytes) => sum + bytes, 0),
      limit_bytes: throttle.memoryBytes,
    },
    pressure: {
      layers_waiting: layers,
      level_zero_tables: levelZero,
      pending_compaction_bytes: debtBytes,
      writes_waiting: now.line.length,
      /** The disk has refused tables; they are tried again by and by. */
      stalled,
    },
    quarantined_regions: [...now.storage.tree.quarantined],
  };
}

/** The families of `/metrics`. */
export function engineFamilies({ state, tables, jobs }: ObservedEngine): readonly Family[] {
  const gauge = (name: string, help: string, read: () => readonly Sample[]): Family => ({
    name: `tikv_engine_${name}`,
    help,
    type: "gauge",
    read,
  });
  const counter = (name: string, help: string, read: () => readonly Sample[]): Family => ({
    ...gauge(name, help, read),
    type: "counter",
  });
  const one = (value: number): readonly Sample[] => [{ labels: KV, value }];
  const behind = (): ReturnType<typeof pressure> => pressure(state().storage);
  return [
    gauge("size_bytes", "Bytes of all tables", () => perFamily(state(), (sizes) => sum(sizes))),
    gauge("num_files_at_level", "Tables of each level", () =>
      perLevel(state(), (tableSizes) => tableSizes.length),
    ),
    gauge("level_bytes", "Bytes of each level", () => perLevel(state(), sum)),
    gauge("memory_bytes", "Bytes in memory that count for the budget", () =>
      Object.entries(memoryOf(state(), tables)).map(([type, value]) => ({
        labels: { ...KV, type },
        value,
      })),
    ),
    gauge("block_cache_size_bytes", "Bytes of tables that are remembered", () =>
      one(tables.usedBytes),
    ),
    counter("cache_efficiency", "Blocks that were looked for", () => [
      { labels: { ...KV, type: "block_cache_hit" }, value: tables.hits },
      { labels: { ...KV, type: "block_cache_miss" }, value: tables.misses },
    ]),
    gauge("num_immutable_mem_table", "Layers that wait for their turn", () => one(behind().layers)),
    gauge("pending_compaction_bytes", "Bytes of levels 0 and 1 that should have gone down", () =>
      one(behind().debtBytes),
    ),
    gauge("write_stall", "1 where the disk refuses tables", () => one(behind().stalled ? 1 : 0)),
    counter("flow_bytes", "Bytes of tables that were written by flushes", () => [
      { labels: { ...KV, type: "flush" }, value: jobs.counts.flush.writtenBytes },
    ]),
    counter("compaction_flow_bytes", "Bytes that compactions have read and written", () => [
      { labels: { ...KV, type: "bytes_read" }, value: jobs.counts.compaction.readBytes },
      { labels: { ...KV, type: "bytes_written" }, value: jobs.counts.compaction.writtenBytes },
    ]),
    ...jobFamilies(jobs, counter, gauge),
  ];
}

type Make = (name: string, help: string, read: () => readonly Sample[]) => Family;

function jobFamilies(jobs: JobRunner, counter: Make, gauge: Make): readonly Family[] {
  const each =
    (value: (count: (typeof jobs.counts)["flush"]) => number): (() => Sample[]) =>
    () =>
      Object.entries(jobs.counts).map(([type, count]) => ({
        labels: { ...KV, type },
        value: value(count),
      }));
  return [
    counter(
      "event_total",
      "Flushes, compactions and extractions that were done",
      each(({ done }) => done),
    ),
    counter(
      "event_fail_total",
      "Those that could not be done",
      each(({ failed }) => failed),
    ),
    gauge(
      "num_running",
      "Those under way",
      each(({ running }) => running),
    ),
    counter(
      "event_seconds_total",
      "Time that they took",
      each(({ milliseconds }) => milliseconds / 1000),
    ),
    gauge("flush_slice_max_seconds", "The longest that a flush has held up the event loop", () => [
      { labels: KV, value: jobs.longestSliceMs / 1000 },
    ]),
  ];
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

/** A sample for each family and level, of the sizes of its tables. */
function perLevel(state: StoreState, value: (sizes: readonly number[]) => number): Sample[] {
  const { levels } = state.storage.tree.version;
  return COLUMN_FAMILIES.flatMap((cf) =>
    Array.from({ length: LEVELS }, (_, level) => ({
      labels: { ...KV, cf, level: String(level) },
      value: value((levels[cf][level] ?? []).map(({ size }) => size)),
    })),
  );
}

function perFamily(state: StoreState, value: (sizes: readonly number[]) => number): Sample[] {
  const { levels } = state.storage.tree.version;
  return COLUMN_FAMILIES.map((cf) => ({
    labels: { ...KV, type: cf },
    value: value(levels[cf].flatMap((run) => run.map(({ size }) => size))),
  }));
}
