/**
 * Reads a checkpoint back. It was whole and synced before it got its name, so any damage in it is
 * corruption. The format is drawn in `draft.ts`.
 */
import { keyFromBytes } from "../base/bytes.ts";
import type { Key } from "../base/bytes.ts";
import type { LogIndex, RegionId, Term } from "../base/ids.ts";
import * as tree from "../base/tree.ts";
import { createWire } from "../base/wire.ts";
import { corrupt, readExactly, unreadable } from "./damage.ts";
import type { Damage } from "./damage.ts";
import type { DiskReader, FileName } from "./disk.ts";
import { BLOCK, END_BYTES, PAIR_BYTES } from "./draft.ts";
import { FRAME_BYTES, HEADER_BYTES, decodeHeader, frameBytes, readFrame } from "./log/frame.ts";
import type { FileHeader } from "./log/frame.ts";
import { checkpointFile } from "./files.ts";
import { COLUMN_FAMILIES } from "./types.ts";
import type { Checkpoint, CheckpointGroup } from "./types.ts";

export interface CheckpointRead {
  readonly ok: true;
  readonly header: FileHeader;
  readonly checkpoint: Checkpoint;
}

type Pair = readonly [Key, Uint8Array];

/** What the blocks read so far hold. */
interface Contents {
  readonly groups: CheckpointGroup[];
  /** One list a column family. */
  readonly pairs: readonly Pair[][];
}

/** Reads the checkpoint with this number, block by block. */
export function readCheckpoint(reader: DiskReader, number: number): CheckpointRead | Damage {
  const file = checkpointFile(number);
  const size = reader.size(file) ?? 0;
  const start = readExactly(reader, file, 0, Math.min(size, HEADER_BYTES));
  if (!start.ok) return start;
  const head = decodeHeader("checkpoint", start.bytes);
  if (!head.ok) {
    return head.reason === "version"
      ? unreadable(file, head.offset, head.detail)
      : corrupt(file, head.offset, head.detail);
  }
  if (head.header.number !== number) {
    return corrupt(file, 24, `the file holds checkpoint ${head.header.number}`);
  }
  const contents: Contents = { groups: [], pairs: COLUMN_FAMILIES.map(() => []) };
  let at = HEADER_BYTES;
  for (let block = 1; ; block++) {
    const payload = readBlock(reader, file, head.seed, size, at, block);
    if (!payload.ok) return payload;
    at += FRAME_BYTES + payload.bytes.length;
    if (payload.bytes[0] === BLOCK.end) {
      if (at !== size) return corrupt(file, at, "bytes follow the end of the checkpoint");
      if (!isEnd(payload.bytes, contents)) {
        return corrupt(
          file,
          at,
          "the counts at the end of the checkpoint differ from its contents",
        );
      }
      break;
    }
    if (!take(contents, payload.bytes)) {
      return corrupt(file, at, `block ${block} of the checkpoint is whole and makes no sense`);
    }
  }
  const [byDefault, lock, write] = contents.pairs.map((pairs) => tree.fromSorted(pairs));
  const kv = { default: byDefault!, lock: lock!, write: write! };
  return { ok: true, header: head.header, checkpoint: { groups: contents.groups, kv } };
}

/** The payload of the frame at offset `at`. */
function readBlock(
  reader: DiskReader,
  file: FileName,
  seed: number,
  size: number,
  at: number,
  block: number,
): { readonly ok: true; readonly bytes: Uint8Array } | Damage {
  if (at + FRAME_BYTES > size) return corrupt(file, at, "the checkpoint ends before its end block");
  const header = readExactly(reader, file, at, FRAME_BYTES);
  if (!header.ok) return header;
  const length = Math.min(frameBytes(header.bytes), size - at);
  const whole = readExactly(reader, file, at, length);
  if (!whole.ok) return whole;
  const frame = readFrame(seed, whole.bytes, 0, at);
  if (frame.type !== "frame") return corrupt(file, at, `block ${block} is damaged`);
  if (frame.sequence !== block) {
    return corrupt(file, at, `block ${frame.sequence} stands where block ${block} belongs`);
  }
  return { ok: true, bytes: frame.payload };
}

/** Adds a block to the contents; false where it does not fit them. */
function take(contents: Contents, payload: Uint8Array): boolean {
  const kind = payload[0];
  if (kind === BLOCK.groups) return takeGroups(contents.groups, payload.subarray(1));
  const pairs = contents.pairs[payload[1] ?? COLUMN_FAMILIES.length];
  return kind === BLOCK.pairs && pairs !== undefined && takePairs(pairs, payload);
}

function takeGroups(groups: CheckpointGroup[], body: Uint8Array): boolean {
  const decoded = createWire().decode(body);
  if (!decoded.ok || !Array.isArray(decoded.value)) return false;
  for (const tuple of decoded.value as readonly unknown[]) {
    if (!Array.isArray(tuple) || tuple.length !== 4) return false;
    const [region, applied, appliedTerm, meta] = tuple as readonly unknown[];
    if (!isCount(region) || !isCount(applied) || !isCount(appliedTerm)) return false;
    if (!(meta instanceof Uint8Array)) return false;
    const before = groups[groups.length - 1];
    if (before !== undefined && before.region >= region) return false;
    groups.push({
      region: region as RegionId,
      applied: applied as LogIndex,
      appliedTerm: appliedTerm as Term,
      meta: meta.slice(),
    });
  }
  return true;
}

function takePairs(pairs: Pair[], payload: Uint8Array): boolean {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  let before = pairs[pairs.length - 1]?.[0];
  for (let at = 2; at < payload.length;) {
    if (at + PAIR_BYTES > payload.length) return false;
    const start = at + PAIR_BYTES;
    const middle = start + view.getUint32(at);
    const end = middle + view.getUint32(at + 4);
    if (end > payload.length) return false;
    const key = keyFromBytes(payload.subarray(start, middle));
    if (before !== undefined && before >= key) return false;
    pairs.push([key, payload.slice(middle, end)]);
    before = key;
    at = end;
  }
  return true;
}

function isEnd(payload: Uint8Array, contents: Contents): boolean {
  if (payload.length !== END_BYTES) return false;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const counts = [contents.groups.length, ...contents.pairs.map((pairs) => pairs.length)];
  return counts.every((count, i) => view.getBigUint64(1 + 8 * i) === BigInt(count));
}

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
