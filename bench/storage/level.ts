/** LevelDB, through the npm package `classic-level`. */
import { ClassicLevel } from "classic-level";
import type { EngineOptions, StorageEngine } from "./engine.ts";

/** Entries that an iterator hands over at a time. */
const STRIDE = 1000;

export async function openLevel(options: EngineOptions): Promise<StorageEngine> {
  const db = new ClassicLevel<Uint8Array, Uint8Array>(options.directory, {
    keyEncoding: "view",
    valueEncoding: "view",
    compression: options.compression,
    // Two of them at a time, and the rest is the cache's.
    writeBufferSize: options.memoryBytes / 4,
    cacheSize: options.memoryBytes / 2,
  });
  await db.open();
  return {
    async write({ keys, values }, sync) {
      const operations = keys.map((key, i) => ({ type: "put" as const, key, value: values[i]! }));
      await db.batch(operations, { sync });
    },
    get: (key) => db.getSync(key),
    async scan(from, limit, reverse) {
      const start = from === undefined ? {} : reverse ? { lt: from } : { gte: from };
      const iterator = db.iterator({ ...start, reverse, limit });
      let count = 0;
      for (;;) {
        const entries = await iterator.nextv(Math.min(STRIDE, limit - count));
        count += entries.length;
        if (entries.length === 0 || count === limit) break;
      }
      await iterator.close();
      return count;
    },
    async settle() {
      await db.compactRange(new Uint8Array(0), new Uint8Array(32).fill(0xff));
    },
    close: () => db.close(),
  };
}
