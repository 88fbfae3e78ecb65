/** Whether damage matters: what something newer clears is not seen, whatever was there. */
import { EMPTY_KEY } from "../../base/bytes.ts";
import type { Clear, TableDamage } from "../table/types.ts";
import { clearsWithin, NO_CLEARS, unite } from "./clears.ts";
import type { Stack } from "./types.ts";

/**
 * Whether who reads `stack` may see what `damage` has made unknown, in a part of its span, [start,
 * end). Of a table that is not in the stack nothing is hidden.
 */
export const isExposed = (stack: Stack, damage: TableDamage, { start, end }: Clear): boolean =>
  !clearsAbove(stack, damage, { start, end }).some(
    (clear) =>
      clear.start <= start && (clear.end === EMPTY_KEY || (end !== EMPTY_KEY && end <= clear.end)),
  );

/** What sources that are newer than the damaged table clear, in and around [start, end). */
function clearsAbove(
  { memtable, layers, version }: Stack,
  { cf, table: number }: TableDamage,
  { start, end }: Clear,
): readonly Clear[] {
  const bounds = { lower: start, upper: end };
  let clears = clearsWithin(memtable.clears[cf], bounds);
  for (const layer of layers) {
    if (layer.type === "memtable") {
      clears = unite(clears, clearsWithin(layer.memtable.clears[cf], bounds));
      continue;
    }
    if (layer.tables.some((table) => table.number === number)) return clears;
    for (const table of layer.tables) if (table.cf === cf) clears = unite(clears, table.clears);
  }
  for (const [level, run] of version.levels[cf].entries()) {
    // Tables of level 0 come newest first; those of another level have no key in common.
    if (level > 0 && run.some((table) => table.number === number)) return clears;
    for (const table of run) {
      if (table.number === number) return clears;
      clears = unite(clears, table.clears);
    }
  }
  return NO_CLEARS;
}
