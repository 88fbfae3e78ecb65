/** What a store's storage says of itself on its status port. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { Key } from "../../engine/base/bytes.ts";
import type { StoreState } from "../../engine/store/index.ts";
import { open } from "../../engine/store/index.ts";
import type { TableMeta } from "../../engine/storage/table/types.ts";
import { TableCache } from "../../engine/storage/table/cache.ts";
import { openDisk } from "../../runtime/files/disk.ts";
import { engineFamilies, engineStatus } from "../../runtime/status/engine-status.ts";
import type { ObservedEngine } from "../../runtime/status/engine-status.ts";
import { JobRunner } from "../../runtime/jobs/jobs.ts";
import { createMetrics } from "../../runtime/metrics/registry.ts";
import { suite } from "../harness.ts";
import { testConfig } from "../store/harness.ts";
import { countingCode } from "./job-code.ts";

const test = suite("runtime/engine-status");

const table = (number: number, size: number): TableMeta => ({
  number,
  cf: "write",
  size,
  entries: 1,
  tombstones: 0,
  clears: [],
  smallest: Key("a"),
  largest: Key("b"),
  largestExclusive: false,
  crc32: 0,
});

/** A fresh store whose state is changed by `change`, with its cache and jobs. */
async function withStore(
  change: (state: StoreState) => StoreState,
  body: (observed: ObservedEngine) => Promise<void> | void,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "rutile-status-"));
  const opened = openDisk(directory);
  if (!opened.ok) throw new Error(opened.detail);
  const tables = new TableCache(opened.disk, 1 << 20);
  const store = open(tables, testConfig(1), { monotonicMs: 0, wallMs: 0 });
  if (!store.ok) throw new Error(store.detail);
  const state = change(store.state);
  const jobs = new JobRunner({
    disk: opened.disk,
    code: countingCode,
    worker: new URL("./job-worker.js", import.meta.url),
    ended: () => undefined,
    failed: () => undefined,
  });
  try {
    await body({ state: () => state, tables, jobs });
  } finally {
    await jobs.close();
    await opened.disk.close();
    rmSync(directory, { recursive: true });
  }
}

test("a status says how much room there is, and that below the reserve the disk is full", async () => {
  const config = testConfig(1);
  const throttle = { ...config.throttle, reserveBytes: 1000 };
  const statusWith = async (freeBytes: number): Promise<Record<string, unknown>> => {
    let disk: Record<string, unknown> = {};
    await withStore(
      (state) => ({ ...state, config: { ...config, throttle }, freeBytes }),
      (observed) => {
        ({ disk } = engineStatus(observed) as { disk: Record<string, unknown> });
      },
    );
    return disk;
  };
  const expected = { capacity_bytes: 1 << 30, free_bytes: 1000, reserve_bytes: 1000, full: false };
  assert.equal(await statusWith(1000), expected);
  assert.equal(await statusWith(999), { ...expected, free_bytes: 999, full: true });
});

test("levels, debt and jobs are metrics under TiKV's names", () =>
  withStore(
    (state) => {
      const { tree } = state.storage;
      const write = [[table(3, 10), table(2, 20)], [table(1, 300)]];
      const version = { levels: { ...tree.version.levels, write } };
      const debt = { levelZero: 2, bytes: 77, ahead: 77 };
      const storage = { ...state.storage, tree: { ...tree, version, debt, stalled: true } };
      return { ...state, storage };
    },
    async (observed) => {
      observed.jobs.counts.compaction.done = 4;
      observed.jobs.counts.compaction.writtenBytes = 4096;
      observed.tables.hits = 9;
      const metrics = createMetrics();
      for (const family of engineFamilies(observed)) metrics.add(family);
      const { body } = await metrics.page();
      for (const line of [
        'tikv_engine_num_files_at_level{db="kv",cf="write",level="0"} 2',
        'tikv_engine_num_files_at_level{db="kv",cf="write",level="6"} 0',
        'tikv_engine_level_bytes{db="kv",cf="write",level="1"} 300',
        'tikv_engine_size_bytes{db="kv",type="write"} 330',
        'tikv_engine_pending_compaction_bytes{db="kv"} 77',
        'tikv_engine_write_stall{db="kv"} 1',
        'tikv_engine_compaction_flow_bytes{db="kv",type="bytes_written"} 4096',
        'tikv_engine_event_total{db="kv",type="compaction"} 4',
        'tikv_engine_cache_efficiency{db="kv",type="block_cache_hit"} 9',
        'tikv_engine_memory_bytes{db="kv",type="mem-tables"} 0',
      ]) {
        assert.ok(body.includes(`${line}\n`), line);
      }
    },
  ));

test.run();
