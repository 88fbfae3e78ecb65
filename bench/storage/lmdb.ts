/**
 * LMDB, through the npm package `lmdb`: a B+tree in a file that is mapped into memory. It stands
 * here as the limit of what reads can cost; how much it writes and maps is nobody's budget.
 */
import { open } from "lmdb";
import type { EngineOptions, StorageEngine } from "./engine.ts";

export function openLmdb(options: EngineOptions): Promise<StorageEngine> {
  const db = open<Buffer, Buffer>({
    path: options.directory,
    encoding: "binary",
    keyEncoding: "binary",
    compression: options.compression,
  });
  const asBuffer = (bytes: Uint8Array): Buffer =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Promise.resolve({
    write({ keys, values }) {
      // Its transactions are synced before they return.
      db.transactionSync(() => {
        for (const [i, key] of keys.entries()) db.putSync(asBuffer(key), asBuffer(values[i]!));
      });
      return Promise.resolve();
    },
    get: (key) => db.getBinaryFast(asBuffer(key)),
    scan(from, limit, reverse) {
      const start = from === undefined ? {} : { start: asBuffer(from) };
      let count = 0;
      for (const { key, value } of db.getRange({ ...start, limit, reverse })) {
        if (key.length > 0 && value.length > 0) count += 1;
      }
      return count;
    },
    settle: () => Promise.resolve(),
    close: () => db.close(),
  });
}
