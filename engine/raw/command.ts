/**
 * Raw write commands: what a log entry carries and how every replica evaluates it.
 *
 * A command is evaluated when it is applied, on the state that all entries before it left. So
 * compare-and-swap is atomic with respect to every other raw write, plain ones included, and
 * needs no latch; the clock reading it needs travels in the entry, so replicas agree.
 */
import { unreachable } from "../base/assert.ts";
import { equalBytes, type Key } from "../base/bytes.ts";
import type { ColumnFamily, KvOperation } from "../storage/types.ts";
import { encodeValue, isLive, userValue } from "./value.ts";

export type RawCommand =
  | {
      readonly type: "put";
      readonly cf: ColumnFamily;
      readonly key: Key;
      readonly value: Uint8Array;
      /** Second of the Unix epoch; 0 for never. */
      readonly expiresAt: number;
    }
  | { readonly type: "delete"; readonly cf: ColumnFamily; readonly key: Key }
  /** [start, end). */
  | {
      readonly type: "delete_range";
      readonly cf: ColumnFamily;
      readonly start: Key;
      readonly end: Key;
    }
  | {
      readonly type: "compare_and_swap";
      readonly cf: ColumnFamily;
      readonly key: Key;
      /** What the user expects to find; undefined: nothing. */
      readonly expected: Uint8Array | undefined;
      /** What to put in its place; undefined: delete. */
      readonly replacement: Uint8Array | undefined;
      readonly expiresAt: number;
    };

/** What a command found. Only compare-and-swap has something to tell. */
export interface RawResult {
  readonly succeeded: boolean;
  readonly previous: Uint8Array | undefined;
}

const DONE: RawResult = { succeeded: true, previous: undefined };

/** Where a command looks and what it changes. */
export interface RawTarget {
  get(cf: ColumnFamily, key: Key): Uint8Array | undefined;
  perform(operation: KvOperation): void;
}

/** How a store keeps raw values. */
export interface RawMode {
  readonly ttlEnabled: boolean;
}

/** Evaluates `command` on `target` as of `nowSeconds`, and changes `target` accordingly. */
export function evaluate(
  command: RawCommand,
  target: RawTarget,
  mode: RawMode,
  nowSeconds: number,
): RawResult {
  switch (command.type) {
    case "put":
      target.perform(putOperation(command.cf, command.key, command.value, command.expiresAt, mode));
      return DONE;
    case "delete":
      target.perform({ type: "delete", cf: command.cf, key: command.key });
      return DONE;
    case "delete_range":
      target.perform({
        type: "delete_range",
        cf: command.cf,
        start: command.start,
        end: command.end,
      });
      return DONE;
    case "compare_and_swap":
      return compareAndSwap(command, target, mode, nowSeconds);
    default:
      return unreachable(command);
  }
}

function compareAndSwap(
  command: Extract<RawCommand, { type: "compare_and_swap" }>,
  target: RawTarget,
  mode: RawMode,
  nowSeconds: number,
): RawResult {
  const stored = target.get(command.cf, command.key);
  const previous =
    stored !== undefined && isLive(stored, mode.ttlEnabled, nowSeconds)
      ? userValue(stored, mode.ttlEnabled)
      : undefined;
  if (!sameValue(previous, command.expected)) return { succeeded: false, previous };
  target.perform(
    command.replacement === undefined
      ? { type: "delete", cf: command.cf, key: command.key }
      : putOperation(command.cf, command.key, command.replacement, command.expiresAt, mode),
  );
  return { succeeded: true, previous };
}

function sameValue(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return equalBytes(a, b);
}

function putOperation(
  cf: ColumnFamily,
  key: Key,
  value: Uint8Array,
  expiresAt: number,
  mode: RawMode,
): KvOperation {
  return { type: "put", cf, key, value: encodeValue(value, expiresAt, mode.ttlEnabled) };
}
