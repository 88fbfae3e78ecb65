/**
 * Tables: what a store's newest version names is on its disk, whole to the last byte, unless the
 * run itself has damaged that file.
 */
import { verifyTable } from "../../engine/storage/table/verify.ts";
import type { World } from "../model.ts";
import { isExplained, tablesOf } from "./named-tables.ts";
import { passed, violated } from "./verdict.ts";

/** When all has converged: every table of every store. */
export function checkTables(world: World): void {
  for (const machine of world.stores) {
    for (const meta of tablesOf(machine)) {
      const [damage] = verifyTable(machine.disk.observer(), meta);
      if (damage === undefined || isExplained(machine, damage)) passed(world, "tables");
      else {
        const { file, offset, detail } = damage;
        violated(world, "tables", `${machine.name}: ${file} at ${offset}: ${detail}`);
        return;
      }
    }
  }
}
