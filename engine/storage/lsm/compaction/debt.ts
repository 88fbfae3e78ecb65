/** How much work the tree has put off, and how fast it is to be done. */
import { COLUMN_FAMILIES } from "../../types.ts";
import type { TableMeta } from "../../table/types.ts";
import { LAST } from "./descent.ts";
import { overlap } from "../run.ts";
import { tablesAt, totalBytes } from "../version.ts";
import type { LsmConfig, Version } from "../types.ts";

export interface Debt {
  /** The greatest number of tables of level 0 over one key, of all families. */
  readonly levelZero: number;
  /** Of level 0, where it is due, and of level 1 beyond its target: what holds writers back. */
  readonly bytes: number;
  /**
   * All that compactions have before them: levels 0 and 1, and what waits beyond its share of the
   * last level.
   */
  readonly ahead: number;
}

/** The greatest number of these tables, newest first, over one key, or a little more. */
export function depthOf(tables: readonly TableMeta[]): number {
  const depths: number[] = [];
  let greatest = 0;
  for (let i = tables.length - 1; i >= 0; i--) {
    const table = tables[i]!;
    let depth = 1;
    for (let j = i + 1; j < tables.length; j++) {
      if (depths[j]! >= depth && overlap(table, tables[j]!)) depth = depths[j]! + 1;
    }
    depths[i] = depth;
    greatest = Math.max(greatest, depth);
  }
  return greatest;
}

export function debtOf(version: Version, config: LsmConfig): Debt {
  let levelZero = 0;
  let bytes = 0;
  let ahead = 0;
  for (const cf of COLUMN_FAMILIES) {
    const newest = tablesAt(version, cf, 0);
    const depth = depthOf(newest);
    levelZero = Math.max(levelZero, depth);
    const [zero = 0, first = 0, ...lower] = version.levels[cf].map(totalBytes);
    if (depth > config.levelZeroTables) bytes += zero;
    bytes += Math.max(0, first - config.levelBytes);
    const last = lower[LAST - 2] ?? 0;
    const waiting = lower.reduce((sum, size) => sum + size, 0) - last;
    ahead += zero + first + Math.max(0, waiting - last / config.levelGrowth);
  }
  return { levelZero, bytes, ahead };
}

/** What a compaction may write in a second: as much again for each `debtBytes` ahead of it. */
export const paceOf = (debt: Debt, config: LsmConfig): number =>
  config.bytesPerSecond * (1 + Math.floor(debt.ahead / config.debtBytes));
