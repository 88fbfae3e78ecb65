/**
 * The file that says which tables there are: a header and edits, one frame each and each synced by
 * itself, in the frames of the log (`log/frame.ts`). The sequence number of a frame counts the
 * edits of the store. When the file has grown it is written anew, as one edit, under the next
 * number: first under a temporary name, so there is always exactly one whole manifest, the one with
 * the highest number.
 *
 * One edit is under way at a time, so only the last one of the file can be torn; it is cut off.
 */
import { assert } from "../../../base/assert.ts";
import type { Wire } from "../../../base/wire.ts";
import { corrupt, readExactly, unreadable } from "../../damage.ts";
import type { Damage } from "../../damage.ts";
import type { DiskOperation, DiskReader } from "../../disk.ts";
import { manifestFile, temporary } from "../../files.ts";
import {
  HEADER_BYTES,
  decodeHeader,
  encodeFrame,
  encodeHeader,
  findFrame,
  readFrame,
  seedOf,
} from "../../log/frame.ts";
import type { FrameResult } from "../../log/frame.ts";
import type { Identity } from "../../types.ts";
import { applyEdit, decodeEdit, editOf, encodeEdit, noFacts } from "./edit.ts";
import type { Facts, ManifestEdit } from "./edit.ts";

/** What must be known of the file to go on with it. */
export interface ManifestFile {
  readonly number: number;
  readonly size: number;
  /** Checksum seed of the file. */
  readonly seed: number;
  /** Of the last edit. */
  readonly sequence: number;
  /** Bytes of its first edit, which says everything. */
  readonly baseBytes: number;
  /** Bytes of an edit that failed may stand behind `size`. */
  readonly torn: boolean;
}

export interface ManifestWrite {
  readonly operations: readonly DiskOperation[];
  /** The file once they are done. */
  readonly manifest: ManifestFile;
}

/** How much of the file must be obsolete before it is written anew: this many times what is not. */
const GROWTH = 3;

/** Whether the file is worth being written anew. */
export const isOvergrown = ({ size, baseBytes }: ManifestFile, manifestBytes: number): boolean =>
  size >= Math.max(manifestBytes, GROWTH * baseBytes);

/** Adds `edit` to the file. What a failed edit has left is cut off before, and durably. */
export function appendEdit(manifest: ManifestFile, edit: ManifestEdit, wire: Wire): ManifestWrite {
  const file = manifestFile(manifest.number);
  const sequence = manifest.sequence + 1;
  const bytes = encodeFrame(manifest.seed, sequence, manifest.size, encodeEdit(edit, wire));
  const operations: DiskOperation[] = [];
  if (manifest.torn) {
    operations.push({ type: "truncate", file, size: manifest.size }, { type: "sync", file });
  }
  operations.push({ type: "append", file, bytes }, { type: "sync", file });
  const size = manifest.size + bytes.length;
  return { operations, manifest: { ...manifest, size, sequence, torn: false } };
}

/** Writes a new file that says what holds after `edit`. */
export function rewriteManifest(
  before: ManifestFile | undefined,
  facts: Facts,
  edit: ManifestEdit,
  identity: Identity,
  wire: Wire,
): ManifestWrite {
  const after = applyEdit(facts, edit);
  assert(typeof after !== "string", () => `an edit is true: ${JSON.stringify(after)}`);
  const number = (before?.number ?? 0) + 1;
  const sequence = (before?.sequence ?? 0) + 1;
  const kind = "manifest";
  const header = encodeHeader({ kind, identity, number, sequence, oldest: 0, chain: 0 });
  const seed = seedOf(header);
  const bytes = encodeFrame(seed, sequence, HEADER_BYTES, encodeEdit(editOf(after), wire));
  const to = manifestFile(number);
  const file = temporary(to);
  const operations: DiskOperation[] = [
    { type: "create", file },
    { type: "append", file, bytes: header },
    { type: "append", file, bytes },
    { type: "sync", file },
    { type: "rename", file, to },
    { type: "sync_directory" },
  ];
  if (before !== undefined) operations.push({ type: "remove", file: manifestFile(before.number) });
  const size = HEADER_BYTES + bytes.length;
  const manifest = { number, size, seed, sequence, baseBytes: bytes.length, torn: false };
  return { operations, manifest };
}

export interface ManifestReplay {
  readonly ok: true;
  readonly identity: Identity;
  readonly facts: Facts;
  /** Its `torn` says that a tail behind `size` must be cut off. */
  readonly manifest: ManifestFile;
}

/** Reads the manifest with this number. */
export function replayManifest(
  reader: DiskReader,
  number: number,
  wire: Wire,
): ManifestReplay | Damage {
  const file = manifestFile(number);
  const read = readExactly(reader, file, 0, reader.size(file) ?? 0);
  if (!read.ok) return read;
  const { bytes } = read;
  const head = decodeHeader("manifest", bytes);
  if (!head.ok) {
    const refuse = head.reason === "version" ? unreadable : corrupt;
    return refuse(file, head.offset, head.detail);
  }
  const { header, seed } = head;
  if (header.number !== number) {
    return corrupt(file, 24, `the file holds manifest ${header.number}`);
  }
  let facts = noFacts();
  let at = HEADER_BYTES;
  let sequence = header.sequence - 1;
  let baseBytes = 0;
  while (at < bytes.length) {
    const frame = readFrame(seed, bytes, at);
    if (frame.type === "end") break;
    if (frame.type !== "frame") {
      // The first edit was whole before the file got its name.
      if (at > HEADER_BYTES && isTail(seed, bytes, at, frame)) break;
      return corrupt(file, at, "an edit is damaged");
    }
    if (frame.sequence !== sequence + 1) {
      return corrupt(file, at, `edit ${frame.sequence} follows edit ${sequence}`);
    }
    const edit = decodeEdit(frame.payload, wire);
    if (edit === undefined) return corrupt(file, at, "the edit is whole and makes no sense");
    const after = applyEdit(facts, edit);
    if (typeof after === "string") return corrupt(file, at, after);
    facts = after;
    sequence = frame.sequence;
    if (baseBytes === 0) baseBytes = frame.end - at;
    at = frame.end;
  }
  if (baseBytes === 0) return corrupt(file, at, "the manifest says nothing");
  const torn = at < bytes.length;
  const manifest = { number, size: at, seed, sequence, baseBytes, torn };
  return { ok: true, identity: header.identity, facts, manifest };
}

/** Whether the damaged frame at `at` may be what a crash has left: nothing stands behind it. */
function isTail(seed: number, bytes: Uint8Array, at: number, frame: FrameResult): boolean {
  if (frame.type === "damaged_header") return findFrame(seed, bytes, at + 1) === undefined;
  return frame.type === "damaged_payload" && frame.end >= bytes.length;
}
