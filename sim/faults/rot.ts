/**
 * Damage to tables at rest: a bit flips, a sector cannot be read any more, a write lands in another
 * table than its own. Which store may be hit is for the atlas to say.
 */
import type { World } from "../model.ts";
import type { Random } from "../random.ts";
import type { Struck } from "./nemesis.ts";
import { unreachable } from "../../engine/base/assert.ts";
import { tableFile } from "../../engine/storage/table/file.ts";
import { below, chance, pick } from "../random.ts";
import { tablesOf } from "../checkers/named-tables.ts";
import { expendable } from "./atlas.ts";

export type Damage = "rot" | "bad_sector" | "stray_write";

export function damageTable(
  world: World,
  kinds: readonly Damage[],
  random: Random,
): Struck | undefined {
  const candidates = expendable(world).flatMap((machine) => {
    const tables = tablesOf(machine).filter(({ number, size }) => {
      const file = tableFile(number);
      return machine.disk.synced(file) && machine.disk.size(file) === size;
    });
    return tables.length > 0 ? [{ machine, tables }] : [];
  });
  if (candidates.length === 0) return undefined;
  const { machine, tables } = pick(random, candidates);
  const { number, size } = pick(random, tables);
  const file = tableFile(number);
  const { disk, name } = machine;
  const offset = below(random, size);
  const struck = (text: string): Struck => ({ text: `${name}: ${text}`, end: undefined });
  const kind = pick(random, kinds);
  switch (kind) {
    case "rot":
      disk.flip(file, offset, 1 << below(random, 8));
      return struck(`a bit of ${file} rots at ${offset}`);
    case "bad_sector":
      disk.spoil(file, offset);
      return struck(`the sector of ${file} at ${offset} cannot be read any more`);
    case "stray_write": {
      // A block that lands where another block begins is whole in itself, and still not the one.
      const at = chance(random, 500_000) ? 0 : offset;
      disk.misdirect(file, at, "table-");
      return struck(`the next write to a table lands in ${file} at ${at}`);
    }
    default:
      return unreachable(kind);
  }
}
