/**
 * Where the tables of a new run end besides where they are full: at starts of tables of the last
 * level under it, so that later a piece of the run can be merged with the tables under it without
 * a neighbour. What lies between two cuts is large enough that a piece is no mere scrap.
 */
import type { Key } from "../../../base/bytes.ts";
import type { Clear } from "../../table/types.ts";
import type { ColumnFamily } from "../../types.ts";
import { LAST, isFree, meeting } from "./descent.ts";
import { tableOf } from "../run.ts";
import type { Version } from "../types.ts";
import { tablesAt, totalBytes } from "../version.ts";

/** The part of a full table that a piece should have at least. */
const LEAST_PART = 1 / 8;

/**
 * For a run of about `bytes` in `hull` that is to lie at `level`. `leaving` are tables that will be
 * gone by then.
 */
export function cutsFor(
  version: Version,
  cf: ColumnFamily,
  level: number,
  hull: Clear,
  bytes: number,
  tableBytes: number,
  leaving: ReadonlySet<number>,
): readonly Key[] {
  let under = LAST;
  while (under > level && isFree(tablesAt(version, cf, under), hull)) under -= 1;
  if (under <= level) return [];
  const run = meeting(tablesAt(version, cf, under), hull);
  const share = bytes / totalBytes(run);
  const spacing = Math.max(tableBytes, (tableBytes * LEAST_PART) / share);
  const isShared = (key: Key): boolean => {
    for (let above = 1; above < under; above++) {
      const table = tableOf(tablesAt(version, cf, above), key);
      if (table !== undefined && table.smallest !== key && !leaving.has(table.number)) return false;
    }
    return true;
  };
  const cuts: Key[] = [];
  let since = 0;
  for (const { smallest, size } of run) {
    // Cuts are of use where all runs have them: for one that the others have not there is time.
    if (since >= 2 * spacing || (since >= spacing && isShared(smallest))) {
      cuts.push(smallest);
      since = 0;
    }
    since += size;
  }
  return cuts;
}
