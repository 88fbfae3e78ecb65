/**
 * Damage to tables at rest: a bit flips, a sector cannot be read any more, a write lands in another
 * table than its own. Which store may be hit is for the atlas to say.
 */
import type { StoreMachine, World } from "../model.ts";
import type { Random } from "../random.ts";
import type { Struck } from "./strike.ts";
import { unreachable } from "../../engine/base/assert.ts";
import type { FileName } from "../../engine/storage/disk.ts";
import { tableFile } from "../../engine/storage/table/file.ts";
import { below, chance, pick } from "../random.ts";
import { tablesOf } from "../checkers/named-tables.ts";
import { expendable } from "./atlas.ts";

export type Damage = "rot" | "bad_sector" | "stray_write";

export interface DamageStrike {
  readonly type: Damage;
  readonly machine: string;
  readonly file: string;
  readonly offset: number;
  /** Which bit of the byte rots, from 0 to 7. */
  readonly bit: number;
}

export function drawDamage(
  world: World,
  kinds: readonly Damage[],
  random: Random,
): DamageStrike | undefined {
  const candidates = expendable(world).flatMap((machine) => {
    const files = wholeFilesOf(machine);
    return files.length > 0 ? [{ machine, files }] : [];
  });
  if (candidates.length === 0) return undefined;
  const { machine, files } = pick(random, candidates);
  const { file, size } = pick(random, files);
  const offset = below(random, size);
  const type = pick(random, kinds);
  const bit = below(random, 8);
  // A block that lands where another block begins is whole in itself, and still not the one.
  const at = type === "stray_write" && chance(random, 500_000) ? 0 : offset;
  return { type, machine: machine.name, file, offset: at, bit };
}

/** Does it where the atlas still allows it. */
export function damage(world: World, strike: DamageStrike): Struck | undefined {
  const machine = expendable(world).find(({ name }) => name === strike.machine);
  if (machine === undefined) return undefined;
  const whole = wholeFilesOf(machine).find(({ file }) => file === strike.file);
  if (whole === undefined || strike.offset >= whole.size) return undefined;
  const { file } = whole;
  const { type, offset, bit } = strike;
  const { disk } = machine;
  switch (type) {
    case "rot":
      disk.flip(file, offset, 1 << bit);
      break;
    case "bad_sector":
      disk.spoil(file, offset);
      break;
    case "stray_write":
      disk.misdirect(file, offset, "table-");
      break;
    default:
      unreachable(type);
  }
  return { end: undefined };
}

/** The tables of a store that are on its disk, as whole as they should be. */
function wholeFilesOf(machine: StoreMachine): { file: FileName; size: number }[] {
  return tablesOf(machine).flatMap(({ number, size }) => {
    const file = tableFile(number);
    const whole = machine.disk.synced(file) && machine.disk.size(file) === size;
    return whole ? [{ file, size }] : [];
  });
}
