/**
 * What all files of a store have in common: a header that says whose file this is, and frames that
 * prove themselves. A checksum is bound to the file (its header's checksum is the seed), to the
 * place in the file and to a sequence number, so a block that was written elsewhere, or before,
 * never passes. Integers are big-endian.
 *
 * ```
 * header, 56 bytes                              frame, 28 bytes and the payload
 *  0  7  "RUTILEL" log, "RUTILEM" manifest       0  4  crc32 of bytes 4 to 28, seeded
 *  7  1  version                                 4  4  crc32 of the payload, seeded
 *  8  8  cluster id                              8  8  sequence number
 * 16  8  store id                               16  8  offset of this frame in its file
 * 24  8  number of the file                     24  4  size of the payload
 * 32  8  sequence number                        28     payload
 * 40  8  oldest segment
 * 48  4  chain
 * 52  4  crc32 of bytes 0 to 52: the seed
 * ```
 */
import { assert } from "../../base/assert.ts";
import { crc32 } from "../../base/checksum.ts";
import type { StoreId } from "../../base/ids.ts";
import type { Identity } from "../types.ts";

export const HEADER_BYTES = 56;
export const FRAME_BYTES = 28;

/**
 * The version of each format that this program writes, and the only one it reads. DO NOT CHANGE
 * without reading both.
 */
export const FORMAT_VERSIONS = { log: 2, manifest: 1 } as const;

export interface FileHeader {
  readonly kind: "log" | "manifest";
  readonly identity: Identity;
  /** Files of a kind are numbered from 1; the number is part of the name. */
  readonly number: number;
  /** Log: of the first batch in the segment. Manifest: of its first edit. */
  readonly sequence: number;
  /** Log: no segment before this one is needed. Manifest: 0. */
  readonly oldest: number;
  /** Log: the checksum of the last frame before this segment, 0 in the first. Manifest: 0. */
  readonly chain: number;
}

export type HeaderResult =
  | { readonly ok: true; readonly header: FileHeader; readonly seed: number }
  /**
   * `offset` is where the damage lies. `version`: whole, but of a version this program does not
   * know.
   */
  | {
      readonly ok: false;
      readonly reason: "short" | "damaged" | "version";
      readonly offset: number;
      readonly detail: string;
    };

export type FrameResult =
  | {
      readonly type: "frame";
      readonly sequence: number;
      /** A view of the file's bytes. */
      readonly payload: Uint8Array;
      /** Offset behind the frame. */
      readonly end: number;
      /** The frame's own checksum, which the next segment's header repeats. */
      readonly crc: number;
    }
  | { readonly type: "end" }
  /** The frame's header is not to be trusted, so its end is not known. */
  | { readonly type: "damaged_header" }
  /** The frame ends (or would end) at `end`, and its payload is not what was written. */
  | { readonly type: "damaged_payload"; readonly sequence: number; readonly end: number };

const MAGIC = { log: "RUTILEL", manifest: "RUTILEM" } as const;

/** The header's bytes; its seed is `seedOf` them. */
export function encodeHeader(header: FileHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  const magic = MAGIC[header.kind];
  for (let i = 0; i < magic.length; i++) bytes[i] = magic.charCodeAt(i);
  bytes[7] = FORMAT_VERSIONS[header.kind];
  view.setBigUint64(8, header.identity.cluster);
  setCounter(view, 16, header.identity.store);
  setCounter(view, 24, header.number);
  setCounter(view, 32, header.sequence);
  setCounter(view, 40, header.oldest);
  view.setUint32(48, header.chain);
  view.setUint32(52, crc32(bytes, 0, 52));
  return bytes;
}

/** The seed that the checksums of a file with this header start from. */
export function seedOf(header: Uint8Array): number {
  return viewOf(header).getUint32(52);
}

/** Reads the header at the start of `bytes`, which must be of the given kind. */
export function decodeHeader(kind: FileHeader["kind"], bytes: Uint8Array): HeaderResult {
  const magic = MAGIC[kind];
  if (bytes.length > magic.length) {
    const version = bytes[7]!;
    // A torn header holds zeros where nothing was written: 0 is the version of nothing.
    const known = FORMAT_VERSIONS[kind];
    if (startsWith(bytes, magic) && version !== known && version !== 0) {
      const detail = `version ${version} of the ${kind} format is unknown; this program knows ${known}`;
      return { ok: false, reason: "version", offset: 7, detail };
    }
  }
  if (bytes.length < HEADER_BYTES) {
    const detail = `the file ends inside its header, after ${bytes.length} of ${HEADER_BYTES} bytes`;
    return { ok: false, reason: "short", offset: bytes.length, detail };
  }
  const view = viewOf(bytes);
  const seed = view.getUint32(52);
  const number = getCounter(view, 24);
  const sequence = getCounter(view, 32);
  const oldest = getCounter(view, 40);
  const store = getCounter(view, 16);
  const whole = crc32(bytes, 0, 52) === seed;
  const safe = [number, sequence, oldest, store].every((value) => value !== undefined);
  if (!whole || !startsWith(bytes, magic) || !safe) {
    return { ok: false, reason: "damaged", offset: 0, detail: "the file's header is damaged" };
  }
  const identity = { cluster: view.getBigUint64(8), store: store as StoreId };
  const header = {
    kind,
    identity,
    number: number!,
    sequence: sequence!,
    oldest: oldest!,
    chain: view.getUint32(48),
  };
  return { ok: true, header, seed };
}

/** A frame around `payload` (borrowed) that will lie at `offset` of the file with this seed. */
export function encodeFrame(
  seed: number,
  sequence: number,
  offset: number,
  payload: Uint8Array,
): Uint8Array {
  assert(payload.length <= 0xffff_ffff, "a frame's payload is smaller than 4 GiB");
  const bytes = new Uint8Array(FRAME_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, crc32(payload, 0, payload.length, seed));
  setCounter(view, 8, sequence);
  setCounter(view, 16, offset);
  view.setUint32(24, payload.length);
  view.setUint32(0, crc32(bytes, 4, FRAME_BYTES, seed));
  bytes.set(payload, FRAME_BYTES);
  return bytes;
}

/** The checksum that `readFrame` reports of these frame bytes. */
export function frameCrc(frame: Uint8Array): number {
  return viewOf(frame).getUint32(0);
}

/** Size in bytes of the frame with this header, which may be damaged. */
export function frameBytes(header: Uint8Array): number {
  return FRAME_BYTES + viewOf(header).getUint32(24);
}

/**
 * Reads the frame at `offset` of a file whose bytes from its start, or from `base`, are `bytes`.
 * `offset` and `end` are places in `bytes`.
 */
export function readFrame(seed: number, bytes: Uint8Array, offset: number, base = 0): FrameResult {
  if (offset === bytes.length) return { type: "end" };
  if (!isFrameHeader(seed, bytes, offset, base)) return { type: "damaged_header" };
  const view = viewOf(bytes);
  const sequence = getCounter(view, offset + 8)!;
  const start = offset + FRAME_BYTES;
  const end = start + view.getUint32(offset + 24);
  if (end > bytes.length) return { type: "damaged_payload", sequence, end };
  const payload = bytes.subarray(start, end);
  if (crc32(bytes, start, end, seed) !== view.getUint32(offset + 4)) {
    return { type: "damaged_payload", sequence, end };
  }
  return { type: "frame", sequence, payload, end, crc: view.getUint32(offset) };
}

/**
 * The first place at or behind `from` where a frame of this file starts. A payload cannot feign one
 * by chance or by design: the seed depends on all that was logged before.
 */
export function findFrame(seed: number, bytes: Uint8Array, from: number): number | undefined {
  for (let offset = from; offset + FRAME_BYTES <= bytes.length; offset++) {
    if (isFrameHeader(seed, bytes, offset, 0)) return offset;
  }
  return undefined;
}

function isFrameHeader(seed: number, bytes: Uint8Array, offset: number, base: number): boolean {
  if (offset + FRAME_BYTES > bytes.length) return false;
  const view = viewOf(bytes);
  // The place is the cheapest test, and fails nearly always in a scan.
  if (getCounter(view, offset + 16) !== base + offset) return false;
  if (getCounter(view, offset + 8) === undefined) return false;
  return crc32(bytes, offset + 4, offset + FRAME_BYTES, seed) === view.getUint32(offset);
}

function startsWith(bytes: Uint8Array, magic: string): boolean {
  for (let i = 0; i < magic.length; i++) if (bytes[i] !== magic.charCodeAt(i)) return false;
  return true;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function setCounter(view: DataView, at: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, "a counter is a safe integer");
  view.setUint32(at, Math.floor(value / 0x1_0000_0000));
  view.setUint32(at + 4, value % 0x1_0000_0000);
}

/** Undefined where the number is above the safe integers, which no file of ours holds. */
function getCounter(view: DataView, at: number): number | undefined {
  const value = view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
  return Number.isSafeInteger(value) ? value : undefined;
}
