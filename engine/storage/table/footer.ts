/**
 * The last bytes of a table: where everything lies, and what kind of file this is. All parts lie
 * one behind the other from the start of the file, so their sizes are enough.
 *
 * ```
 * table                          footer, 40 bytes
 *  data blocks                    0  8  number under which the table was written
 *  filter block, or nothing       8  4  size of all data blocks, sealed
 *  index block                   12  4  size of the filter block, sealed; 0 without one
 *  properties block              16  4  size of the index block, sealed
 *  footer                        20  4  size of the properties block, sealed
 *                                24  4  reserved: 0
 *                                28  4  XXH32 of bytes 0 to 28, seed 0
 *                                32  7  "RUTILET"
 *                                39  1  version, 1
 * ```
 *
 * The number is that of the store that wrote the table; one that received the file knows it by
 * another. The XXH32 of its eight bytes is the table's seed, of which all checksums are made.
 * Integers are big-endian.
 */
import { assert } from "../../base/assert.ts";
import { readSafeU64, readU32, writeSafeU64, writeU32 } from "../../base/big-endian.ts";
import { xxh32 } from "../../base/xxhash.ts";

export const FOOTER_BYTES = 40;

/**
 * The version that this program writes, and the only one it reads. DO NOT CHANGE without reading
 * both.
 */
export const TABLE_VERSION = 1;

const MAGIC = "RUTILET";
const COVERED = 28;
const MAGIC_AT = 32;

/** Sizes in bytes of the parts of a table. */
export interface Footer {
  readonly number: number;
  readonly dataSize: number;
  readonly filterSize: number;
  readonly indexSize: number;
  readonly propertiesSize: number;
}

export type ReadFooter =
  | { readonly ok: true; readonly footer: Footer }
  | {
      readonly ok: false;
      /** `unreadable`: the table is of another version. */
      readonly reason: "corrupt" | "unreadable";
      readonly detail: string;
    };

/** The seed of the checksums in a table written under `number`. */
export function tableSeed(number: number): number {
  const bytes = new Uint8Array(8);
  writeSafeU64(number, bytes, 0);
  return xxh32(bytes, 0, 8, 0);
}

export function encodeFooter(footer: Footer): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES);
  writeSafeU64(footer.number, bytes, 0);
  const sizes = [footer.dataSize, footer.filterSize, footer.indexSize, footer.propertiesSize];
  for (const [i, size] of sizes.entries()) {
    assert(size <= 0xffff_ffff, "a table is smaller than 4 GiB");
    writeU32(size, bytes, 8 + 4 * i);
  }
  writeU32(xxh32(bytes, 0, COVERED, 0), bytes, COVERED);
  for (let i = 0; i < MAGIC.length; i++) bytes[MAGIC_AT + i] = MAGIC.charCodeAt(i);
  bytes[MAGIC_AT + MAGIC.length] = TABLE_VERSION;
  return bytes;
}

/** Reads the footer `bytes` of a file of `fileSize` bytes. */
export function decodeFooter(bytes: Uint8Array, fileSize: number): ReadFooter {
  if (bytes.length !== FOOTER_BYTES) {
    return corrupt("the file ends before the end of its footer");
  }
  for (let i = 0; i < MAGIC.length; i++) {
    if (bytes[MAGIC_AT + i] !== MAGIC.charCodeAt(i)) {
      return corrupt("the file does not end as a table does");
    }
  }
  const version = bytes[MAGIC_AT + MAGIC.length]!;
  if (version !== TABLE_VERSION) {
    const detail = `version ${version} of the table format is unknown; this program knows ${TABLE_VERSION}`;
    return { ok: false, reason: "unreadable", detail };
  }
  const number = readSafeU64(bytes, 0);
  if (xxh32(bytes, 0, COVERED, 0) !== readU32(bytes, COVERED) || number === undefined) {
    return corrupt("the footer does not match its checksum");
  }
  const dataSize = readU32(bytes, 8);
  const filterSize = readU32(bytes, 12);
  const indexSize = readU32(bytes, 16);
  const propertiesSize = readU32(bytes, 20);
  if (dataSize + filterSize + indexSize + propertiesSize + FOOTER_BYTES !== fileSize) {
    return corrupt("the parts of the table do not make up the file");
  }
  return { ok: true, footer: { number, dataSize, filterSize, indexSize, propertiesSize } };
}

const corrupt = (detail: string): ReadFooter => ({ ok: false, reason: "corrupt", detail });
