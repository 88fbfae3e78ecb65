/**
 * Raw commands as flat tuples for log entries. Keys travel as one-byte strings, so that neither
 * side converts them.
 *
 *   put              [0, cf, key, value, expiresAt]
 *   delete           [1, cf, key]
 *   delete_range     [2, cf, start, end]
 *   compare_and_swap [3, cf, key, expected | 0, replacement | 0, expiresAt]
 *
 * A cf is its position in `COLUMN_FAMILIES`.
 */
import { assert, fail, unreachable } from "../base/assert.ts";
import type { Key } from "../base/bytes.ts";
import { COLUMN_FAMILIES } from "../storage/types.ts";
import type { ColumnFamily } from "../storage/types.ts";
import type { RawCommand } from "./command.ts";

const PUT = 0;
const DELETE = 1;
const DELETE_RANGE = 2;
const COMPARE_AND_SWAP = 3;

export function commandToTuple(command: RawCommand): readonly unknown[] {
  const cf = COLUMN_FAMILIES.indexOf(command.cf);
  switch (command.type) {
    case "put":
      return [PUT, cf, command.key, command.value, command.expiresAt];
    case "delete":
      return [DELETE, cf, command.key];
    case "delete_range":
      return [DELETE_RANGE, cf, command.start, command.end];
    case "compare_and_swap":
      return [
        COMPARE_AND_SWAP,
        cf,
        command.key,
        command.expected ?? 0,
        command.replacement ?? 0,
        command.expiresAt,
      ];
    default:
      return unreachable(command);
  }
}

/**
 * The command of `tuple`, which came out of a checksummed log and must be well formed. Values are
 * views.
 */
export function commandFromTuple(tuple: readonly unknown[]): RawCommand {
  const cf = COLUMN_FAMILIES[tuple[1] as number];
  assert(cf !== undefined, "a raw command names a column family");
  switch (tuple[0]) {
    case PUT:
      return {
        type: "put",
        cf,
        key: keyAt(tuple, 2),
        value: bytesAt(tuple, 3),
        expiresAt: tuple[4] as number,
      };
    case DELETE:
      return { type: "delete", cf, key: keyAt(tuple, 2) };
    case DELETE_RANGE:
      return { type: "delete_range", cf, start: keyAt(tuple, 2), end: keyAt(tuple, 3) };
    case COMPARE_AND_SWAP:
      return compareAndSwapFromTuple(tuple, cf);
    default:
      return fail(`unknown raw command ${String(tuple[0])}`);
  }
}

function compareAndSwapFromTuple(tuple: readonly unknown[], cf: ColumnFamily): RawCommand {
  return {
    type: "compare_and_swap",
    cf,
    key: keyAt(tuple, 2),
    expected: tuple[3] === 0 ? undefined : bytesAt(tuple, 3),
    replacement: tuple[4] === 0 ? undefined : bytesAt(tuple, 4),
    expiresAt: tuple[5] as number,
  };
}

function keyAt(tuple: readonly unknown[], at: number): Key {
  const key = tuple[at];
  assert(typeof key === "string", "a raw command holds its key as a string");
  return key as Key;
}

function bytesAt(tuple: readonly unknown[], at: number): Uint8Array {
  const bytes = tuple[at];
  assert(bytes instanceof Uint8Array, "a raw command holds its value as bytes");
  return bytes;
}
