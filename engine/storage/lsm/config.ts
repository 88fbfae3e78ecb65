/** The figures of a tree that is not configured otherwise. */
import type { LsmConfig } from "./types.ts";

const MIB = 1 << 20;

export const DEFAULT_LSM: LsmConfig = {
  table: { blockBytes: 4 << 10, restartInterval: 16, compression: "none", filterBits: 10 },
  tableBytes: 8 * MIB,
  levelZeroTables: 4,
  levelBytes: 64 * MIB,
  levelGrowth: 3,
  compactions: 1,
  bytesPerSecond: 32 * MIB,
  debtBytes: 64 * MIB,
  compressFrom: 7,
  manifestBytes: MIB,
};
