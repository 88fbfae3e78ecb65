/**
 * The settings of a store's LSM tree under TiKV's names. The tree treats its families alike, so
 * what TiKV sets for `defaultcf` counts for all of them.
 */
import { DEFAULT_LSM } from "../../engine/storage/lsm/config.ts";
import type { LsmConfig } from "../../engine/storage/lsm/types.ts";
import type { Values } from "./file.ts";

export const LSM_SCHEMA = {
  "rocksdb.max-background-jobs": "count",
  "rocksdb.rate-bytes-per-sec": "size",
  "rocksdb.max-manifest-file-size": "size",
  "rocksdb.defaultcf.block-size": "size",
  "rocksdb.defaultcf.bloom-filter-bits-per-key": "count",
  "rocksdb.defaultcf.compression-per-level": "texts",
  "rocksdb.defaultcf.target-file-size-base": "size",
  "rocksdb.defaultcf.level0-file-num-compaction-trigger": "count",
  "rocksdb.defaultcf.max-bytes-for-level-base": "size",
  "rocksdb.defaultcf.max-bytes-for-level-multiplier": "count",
} as const;

type LsmFile = Values<typeof LSM_SCHEMA>;

const KIB = 1024;
const MIB = 1024 * KIB;
const LEVELS = 7;

/** What must lie in which bounds: sizes that are far off make a tree that is never done. */
const BOUNDS: readonly (readonly [
  key: keyof LsmFile,
  least: number,
  most: number,
  what: string,
])[] = [
  ["rocksdb.max-background-jobs", 1, 16, "from 1 to 16"],
  ["rocksdb.defaultcf.block-size", KIB, MIB, "from 1KiB to 1MiB"],
  ["rocksdb.defaultcf.bloom-filter-bits-per-key", 0, 32, "from 0 to 32"],
  ["rocksdb.defaultcf.target-file-size-base", MIB, 1024 * MIB, "from 1MiB to 1GiB"],
  ["rocksdb.defaultcf.level0-file-num-compaction-trigger", 1, 64, "from 1 to 64"],
  ["rocksdb.defaultcf.max-bytes-for-level-base", MIB, 2 ** 40, "from 1MiB to 1TiB"],
  ["rocksdb.defaultcf.max-bytes-for-level-multiplier", 2, 100, "from 2 to 100"],
  ["rocksdb.max-manifest-file-size", 64 * KIB, 1024 * MIB, "from 64KiB to 1GiB"],
];

/** One line that says what is wrong, if anything is. */
export function lsmProblem(file: LsmFile): string | undefined {
  for (const [key, least, most, what] of BOUNDS) {
    const value = file[key];
    if (typeof value === "number" && (value < least || value > most)) {
      return `${key} must be ${what}`;
    }
  }
  const codecs = file["rocksdb.defaultcf.compression-per-level"];
  if (codecs === undefined) return undefined;
  const first = codecs.findIndex((codec) => codec !== "no");
  const isKnown = codecs.every((codec, level) =>
    first < 0 || level < first ? codec === "no" : codec === "lz4",
  );
  if (codecs.length === LEVELS && isKnown) return undefined;
  return `rocksdb.defaultcf.compression-per-level must be ${LEVELS} times "no" or "lz4", and "lz4" from some level on`;
}

/** Level 1 holds by default about what level 0 does when it is merged into it. */
export function lsmSettings(file: LsmFile, memtableBytes: number): LsmConfig {
  const codecs = file["rocksdb.defaultcf.compression-per-level"];
  const levelZeroTables =
    file["rocksdb.defaultcf.level0-file-num-compaction-trigger"] ?? DEFAULT_LSM.levelZeroTables;
  const levelBytes =
    file["rocksdb.defaultcf.max-bytes-for-level-base"] ?? levelZeroTables * memtableBytes;
  const compressFrom = codecs === undefined ? DEFAULT_LSM.compressFrom : fromLevel(codecs);
  return {
    table: {
      blockBytes: file["rocksdb.defaultcf.block-size"] ?? DEFAULT_LSM.table.blockBytes,
      restartInterval: DEFAULT_LSM.table.restartInterval,
      // Level 0 is what flushes write.
      compression: compressFrom === 0 ? "lz4" : "none",
      filterBits:
        file["rocksdb.defaultcf.bloom-filter-bits-per-key"] ?? DEFAULT_LSM.table.filterBits,
    },
    tableBytes: file["rocksdb.defaultcf.target-file-size-base"] ?? DEFAULT_LSM.tableBytes,
    levelZeroTables,
    levelBytes,
    levelGrowth:
      file["rocksdb.defaultcf.max-bytes-for-level-multiplier"] ?? DEFAULT_LSM.levelGrowth,
    compactions: file["rocksdb.max-background-jobs"] ?? DEFAULT_LSM.compactions,
    bytesPerSecond: file["rocksdb.rate-bytes-per-sec"] ?? DEFAULT_LSM.bytesPerSecond,
    debtBytes: levelBytes,
    compressFrom,
    manifestBytes: file["rocksdb.max-manifest-file-size"] ?? DEFAULT_LSM.manifestBytes,
  };
}

function fromLevel(codecs: readonly string[]): number {
  const first = codecs.indexOf("lz4");
  return first < 0 ? LEVELS : first;
}
