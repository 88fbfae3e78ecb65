/** What tables of newer sources clear, and which tables nothing can be seen of therefore. */
import type { Clear, TableMeta } from "../table/types.ts";
import type { ColumnFamily } from "../types.ts";
import { NO_CLEARS, unite } from "./clears.ts";
import type { Version } from "./types.ts";
import { liesWithin, rangesMeet, tablesAt } from "./version.ts";
import type { Leaving } from "./version.ts";

/** The tables of `version` that lie wholly inside a range of `clears`, which are of newer ones. */
export function tablesWithin(
  version: Version,
  cf: ColumnFamily,
  clears: readonly Clear[],
  busy: ReadonlySet<number>,
): readonly Leaving[] {
  if (clears.length === 0) return [];
  return version.levels[cf].flatMap((run, level) =>
    run
      .filter(
        (table) => !busy.has(table.number) && clears.some((range) => liesWithin(table, range)),
      )
      .map(({ number }) => ({ cf, level, number })),
  );
}

/** Tables that newer ones of the version hide wholly. */
export function hidden(
  version: Version,
  cf: ColumnFamily,
  busy: ReadonlySet<number>,
): readonly Leaving[] {
  const leaving: Leaving[] = [];
  let clears = NO_CLEARS;
  const look = (table: TableMeta, level: number): void => {
    if (busy.has(table.number) || !clears.some((range) => liesWithin(table, range))) return;
    leaving.push({ cf, level, number: table.number });
  };
  for (const [level, run] of version.levels[cf].entries()) {
    if (level > 0 && clears.length > 0) for (const table of run) look(table, level);
    for (const table of run) {
      if (level === 0) look(table, level);
      if (table.clears.length > 0) clears = unite(clears, table.clears);
    }
  }
  return leaving;
}

/** The clears of the levels above `level` that meet `hull`. */
export function coveredAbove(
  version: Version,
  cf: ColumnFamily,
  level: number,
  hull: Clear,
): readonly Clear[] {
  let covered = NO_CLEARS;
  for (let above = 0; above < level; above++) {
    for (const { clears } of tablesAt(version, cf, above)) {
      covered = unite(
        covered,
        clears.filter((range) => rangesMeet(range, hull)),
      );
    }
  }
  return covered;
}
