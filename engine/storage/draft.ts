/**
 * Writes a checkpoint, a slice at a time, beside the log. The trees of a checkpoint are values, so
 * where it goes on is a key and not a cursor, and whatever happens meanwhile does not touch it.
 *
 * A checkpoint is a header and frames numbered from 1. The first byte of a payload says what
 * follows:
 *
 * ```
 * 1  groups: a msgpack array of [region, applied, applied term, meta]
 * 2  pairs:  family (1 byte: 0 default, 1 lock, 2 write), then for each pair
 *            size of key (4), size of value (4), key, value
 * 3  end:    count of groups (8), count of pairs in default, lock and write (8 each)
 * ```
 *
 * It is written under a temporary name and renamed when it is synced, so a crash leaves the old
 * one or the new one whole.
 */
import { assert, unreachable } from "../base/assert.ts";
import { EMPTY_KEY, keyAfter, writeKey } from "../base/bytes.ts";
import type { Key } from "../base/bytes.ts";
import * as tree from "../base/tree.ts";
import type { Wire } from "../base/wire.ts";
import type { DiskOperation } from "./disk.ts";
import { HEADER_BYTES, encodeFrame, encodeHeader, seedOf } from "./log/frame.ts";
import { checkpointFile, temporary } from "./files.ts";
import { sequenceOfNow } from "./log/state.ts";
import type { Draft, DraftPosition } from "./log/state.ts";
import type { StorageState } from "./state.ts";
import { COLUMN_FAMILIES } from "./types.ts";
import type { Checkpoint } from "./types.ts";

export const BLOCK = { groups: 1, pairs: 2, end: 3 } as const;
export const PAIR_BYTES = 8;
export const END_BYTES = 33;
/** Groups of one block. */
const GROUPS = 1024;

export interface Slice {
  readonly operations: readonly DiskOperation[];
  /** Where the following slice starts; undefined after the last. */
  readonly next: Draft | undefined;
}

/** A draft of `checkpoint` (kept) of which nothing is written yet. */
export function beginDraft(state: StorageState, checkpoint: Checkpoint): Draft {
  for (let i = 1; i < checkpoint.groups.length; i++) {
    const ascending = checkpoint.groups[i - 1]!.region < checkpoint.groups[i]!.region;
    assert(ascending, "groups of a checkpoint ascend");
  }
  return {
    checkpoint,
    number: (state.log.checkpoint?.number ?? 0) + 1,
    // What waits now may be part of what was applied: it must be durable first.
    sequence: sequenceOfNow(state.log),
    seed: 0,
    size: 0,
    block: 1,
    position: { part: "groups", index: 0 },
  };
}

/**
 * The operations of the next slice: about `sliceBytes` of the file, synced so that no later sync is
 * long.
 */
export function nextSlice(state: StorageState, draft: Draft): Slice {
  const file = temporary(checkpointFile(draft.number));
  if (draft.size === 0) return firstSlice(state, draft);
  const { payload, position } = nextBlock(draft, state.config.sliceBytes, state.wire);
  const frame = encodeFrame(draft.seed, draft.block, draft.size, payload);
  const operations: DiskOperation[] = [
    { type: "append", file, bytes: frame },
    { type: "sync", file },
  ];
  if (position !== undefined) {
    const size = draft.size + frame.length;
    return { operations, next: { ...draft, size, block: draft.block + 1, position } };
  }
  operations.push(
    { type: "rename", file, to: checkpointFile(draft.number) },
    { type: "sync_directory" },
  );
  const { checkpoint } = state.log;
  if (checkpoint !== undefined) {
    operations.push({ type: "remove", file: checkpointFile(checkpoint.number) });
  }
  return { operations, next: undefined };
}

function firstSlice(state: StorageState, draft: Draft): Slice {
  assert(state.identity !== undefined, "a checkpoint belongs to someone");
  const file = temporary(checkpointFile(draft.number));
  const bytes = encodeHeader({
    kind: "checkpoint",
    identity: state.identity,
    number: draft.number,
    sequence: draft.sequence,
    oldest: 0,
    chain: 0,
  });
  return {
    operations: [
      { type: "create", file },
      { type: "append", file, bytes },
    ],
    next: { ...draft, seed: seedOf(bytes), size: HEADER_BYTES },
  };
}

interface Block {
  readonly payload: Uint8Array;
  /** Where the next block starts; undefined behind the end block. */
  readonly position: DraftPosition | undefined;
}

function nextBlock(draft: Draft, sliceBytes: number, wire: Wire): Block {
  const { position, checkpoint } = draft;
  switch (position.part) {
    case "groups":
      return groupsBlock(checkpoint, position.index, wire);
    case "pairs":
      return pairsBlock(checkpoint, position.family, position.key, sliceBytes);
    case "end":
      return { payload: endBlock(checkpoint), position: undefined };
    default:
      return unreachable(position);
  }
}

function groupsBlock(checkpoint: Checkpoint, index: number, wire: Wire): Block {
  const end = Math.min(index + GROUPS, checkpoint.groups.length);
  const tuples = checkpoint.groups
    .slice(index, end)
    .map((group) => [group.region, group.applied, group.appliedTerm, group.meta]);
  const body = wire.encode(tuples);
  const payload = new Uint8Array(1 + body.length);
  payload[0] = BLOCK.groups;
  payload.set(body, 1);
  const position: DraftPosition =
    end < checkpoint.groups.length
      ? { part: "groups", index: end }
      : { part: "pairs", family: 0, key: EMPTY_KEY };
  return { payload, position };
}

function pairsBlock(checkpoint: Checkpoint, family: number, from: Key, sliceBytes: number): Block {
  const cursor = tree.seek(checkpoint.kv[COLUMN_FAMILIES[family]!], from);
  const pairs: (readonly [Key, Uint8Array])[] = [];
  let size = 2;
  while (cursor.valid && (size < sliceBytes || pairs.length === 0)) {
    pairs.push([cursor.key, cursor.value]);
    size += PAIR_BYTES + cursor.key.length + cursor.value.length;
    cursor.next();
  }
  const payload = new Uint8Array(size);
  const view = new DataView(payload.buffer);
  payload[0] = BLOCK.pairs;
  payload[1] = family;
  let at = 2;
  for (const [key, value] of pairs) {
    view.setUint32(at, key.length);
    view.setUint32(at + 4, value.length);
    at = writeKey(key, payload, at + PAIR_BYTES);
    payload.set(value, at);
    at += value.length;
  }
  return { payload, position: behindPairs(family, pairs, cursor.valid) };
}

function behindPairs(
  family: number,
  pairs: readonly (readonly [Key, Uint8Array])[],
  more: boolean,
): DraftPosition {
  const last = pairs[pairs.length - 1];
  if (more && last !== undefined) return { part: "pairs", family, key: keyAfter(last[0]) };
  if (family + 1 < COLUMN_FAMILIES.length) {
    return { part: "pairs", family: family + 1, key: EMPTY_KEY };
  }
  return { part: "end" };
}

function endBlock(checkpoint: Checkpoint): Uint8Array {
  const payload = new Uint8Array(END_BYTES);
  const view = new DataView(payload.buffer);
  payload[0] = BLOCK.end;
  view.setBigUint64(1, BigInt(checkpoint.groups.length));
  COLUMN_FAMILIES.forEach((family, i) => {
    view.setBigUint64(9 + 8 * i, BigInt(checkpoint.kv[family].size));
  });
  return payload;
}
