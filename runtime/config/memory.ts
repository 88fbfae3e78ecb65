/**
 * How a store parts its memory where the file does not say. What counts for the limit besides cache
 * and memtables (the logs' entries, waiting writes) gets what is left.
 */
import { totalmem } from "node:os";

const MIB = 1024 * 1024;
const MEMTABLE_BYTES = 128 * MIB;
const CACHE_BYTES = 128 * MIB;

/** In bytes. */
export interface MemoryShares {
  readonly limit: number;
  /** Of the block cache. */
  readonly cache: number;
  /** At which a memtable is frozen; up to five may be there at once. */
  readonly memtable: number;
}

interface MemoryFile {
  readonly "memory-usage-limit"?: number;
  readonly "storage.block-cache.capacity"?: number;
  readonly "rocksdb.defaultcf.write-buffer-size"?: number;
}

/**
 * Without a limit a store may have three quarters of the machine, as TiKV's may, but takes a cache
 * that leaves room for others: the kernel's page cache serves it well enough. Who sets a limit
 * means this store to use it.
 */
export function memoryShares(file: MemoryFile): MemoryShares {
  const said = file["memory-usage-limit"];
  const limit = said ?? Math.floor((machineBytes() * 3) / 4);
  const share = Math.floor((limit * 3) / 8);
  return {
    limit,
    cache:
      file["storage.block-cache.capacity"] ??
      (said === undefined ? Math.min(CACHE_BYTES, share) : share),
    memtable:
      file["rocksdb.defaultcf.write-buffer-size"] ??
      Math.min(MEMTABLE_BYTES, Math.floor(limit / 16)),
  };
}

/** Of the machine or, where that is less, of the container. */
function machineBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
