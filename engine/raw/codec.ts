/**
 * Raw commands as bytes, for log entries: what each command is in front, the values behind.
 *
 *   commands          size of the heads (varint), the heads, the values one behind the other
 *   put               0, key, size of value, expiry
 *   delete            1, key
 *   delete_range      2, start, end
 *   compare_and_swap  3, key, expected, replacement, expiry
 *
 * A head's first byte is four times its column family's position in `COLUMN_FAMILIES` and the
 * number above. Sizes and expiry (seconds of the Unix epoch, 0 for never) are varints; a key is its
 * size and its bytes; `expected` and `replacement` are 0 for none, else the value's size and one.
 */
import { assert, fail, unreachable } from "../base/assert.ts";
import { writeKey } from "../base/bytes.ts";
import type { Key } from "../base/bytes.ts";
import { varintSize, writeVarint } from "../base/varint.ts";
import { createReader, key, safeUint64, uint32 } from "../protocol/reader.ts";
import type { Reader } from "../protocol/reader.ts";
import { COLUMN_FAMILIES } from "../storage/types.ts";
import type { ColumnFamily } from "../storage/types.ts";
import type { RawCommand } from "./command.ts";

const PUT = 0;
const DELETE = 1;
const DELETE_RANGE = 2;
const COMPARE_AND_SWAP = 3;

/** What `writeCommands` has to know beforehand: bytes of all heads, and of all values. */
export interface CommandSizes {
  readonly heads: number;
  readonly values: number;
}

export function measureCommands(commands: readonly RawCommand[]): CommandSizes {
  let heads = 0;
  let values = 0;
  for (const command of commands) {
    heads += 1;
    switch (command.type) {
      case "put":
        heads += sizeOfKey(command.key) + varintSize(command.value.length);
        heads += varintSize(command.expiresAt);
        values += command.value.length;
        break;
      case "delete":
        heads += sizeOfKey(command.key);
        break;
      case "delete_range":
        heads += sizeOfKey(command.start) + sizeOfKey(command.end);
        break;
      case "compare_and_swap": {
        const { expected, replacement } = command;
        heads += sizeOfKey(command.key) + varintSize(command.expiresAt);
        heads += varintSize(sizeOfOptional(expected)) + varintSize(sizeOfOptional(replacement));
        values += (expected?.length ?? 0) + (replacement?.length ?? 0);
        break;
      }
      default:
        unreachable(command);
    }
  }
  return { heads, values };
}

/** How many bytes `writeCommands` writes. */
export const commandsSize = ({ heads, values }: CommandSizes): number =>
  varintSize(heads) + heads + values;

/** Writes `commands` from `offset` of `target` on; returns the offset behind them. */
export function writeCommands(
  commands: readonly RawCommand[],
  { heads, values }: CommandSizes,
  target: Uint8Array,
  offset: number,
): number {
  let at = writeVarint(heads, target, offset);
  let valueAt = at + heads;
  const end = valueAt + values;
  for (const command of commands) {
    const family = 4 * COLUMN_FAMILIES.indexOf(command.cf);
    switch (command.type) {
      case "put":
        target[at] = family + PUT;
        at = writeSizedKey(command.key, target, at + 1);
        at = writeVarint(command.value.length, target, at);
        at = writeVarint(command.expiresAt, target, at);
        valueAt = writeBytes(command.value, target, valueAt);
        break;
      case "delete":
        target[at] = family + DELETE;
        at = writeSizedKey(command.key, target, at + 1);
        break;
      case "delete_range":
        target[at] = family + DELETE_RANGE;
        at = writeSizedKey(command.start, target, at + 1);
        at = writeSizedKey(command.end, target, at);
        break;
      case "compare_and_swap":
        target[at] = family + COMPARE_AND_SWAP;
        at = writeSizedKey(command.key, target, at + 1);
        at = writeVarint(sizeOfOptional(command.expected), target, at);
        at = writeVarint(sizeOfOptional(command.replacement), target, at);
        at = writeVarint(command.expiresAt, target, at);
        valueAt = writeBytes(command.expected, target, valueAt);
        valueAt = writeBytes(command.replacement, target, valueAt);
        break;
      default:
        unreachable(command);
    }
  }
  assert(valueAt === end && at === end - values, "commands take the bytes that they measure");
  return end;
}

const sizeOfKey = (of: Key): number => varintSize(of.length) + of.length;

const sizeOfOptional = (value: Uint8Array | undefined): number =>
  value === undefined ? 0 : value.length + 1;

function writeSizedKey(of: Key, target: Uint8Array, offset: number): number {
  return writeKey(of, target, writeVarint(of.length, target, offset));
}

function writeBytes(bytes: Uint8Array | undefined, target: Uint8Array, offset: number): number {
  if (bytes === undefined) return offset;
  target.set(bytes, offset);
  return offset + bytes.length;
}

/**
 * The commands from `offset` to the end of `bytes`, which came out of a checksummed log and must be
 * well formed. Values are views of `bytes`.
 */
export function readCommands(bytes: Uint8Array, offset: number): RawCommand[] {
  const heads = createReader(bytes);
  heads.at = offset;
  const size = uint32(heads);
  const end = heads.at + size;
  const values = new Values(bytes, end);
  const commands: RawCommand[] = [];
  while (heads.at < end) commands.push(readCommand(heads, values));
  assert(heads.failure === undefined && heads.at === end, "the heads end where the values begin");
  assert(values.at === bytes.length, "every value belongs to a command");
  return commands;
}

function readCommand(heads: Reader, values: Values): RawCommand {
  const head = uint32(heads);
  const cf = COLUMN_FAMILIES[head >>> 2];
  assert(cf !== undefined, "a raw command names a column family");
  switch (head & 3) {
    case PUT: {
      const of = key(heads);
      const value = values.take(uint32(heads));
      return { type: "put", cf, key: of, value, expiresAt: safeUint64(heads) };
    }
    case DELETE:
      return { type: "delete", cf, key: key(heads) };
    case DELETE_RANGE: {
      const start = key(heads);
      return { type: "delete_range", cf, start, end: key(heads) };
    }
    case COMPARE_AND_SWAP:
      return readCompareAndSwap(heads, values, cf);
    default:
      return fail("two bits have four values");
  }
}

function readCompareAndSwap(heads: Reader, values: Values, cf: ColumnFamily): RawCommand {
  const of = key(heads);
  const expected = uint32(heads);
  const replacement = uint32(heads);
  return {
    type: "compare_and_swap",
    cf,
    key: of,
    expected: expected === 0 ? undefined : values.take(expected - 1),
    replacement: replacement === 0 ? undefined : values.take(replacement - 1),
    expiresAt: safeUint64(heads),
  };
}

/** Takes the values at the end of an entry, one after another, as views. */
class Values {
  /** Where the next one begins. */
  at: number;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  take(size: number): Uint8Array {
    const { at, bytes } = this;
    this.at += size;
    assert(this.at <= bytes.length, "a value lies within its entry");
    return new Uint8Array(bytes.buffer, bytes.byteOffset + at, size);
  }
}
