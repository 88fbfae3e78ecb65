/**
 * Sealed blocks: how every block of a table (data, filter, index, properties) lies in its file.
 *
 * ```
 * stored                                        compressed
 *  n  the block                                  4  size of the block
 *  1  codec: 0                                   n  the block in LZ4's block format
 *  4  XXH32 of all before                        1  codec: 1
 *                                                4  XXH32 of all before
 * ```
 *
 * A checksum's seed is that of the table (`footer.ts`) XOR the offset of the block in its file, so
 * a block that was written for another table or another place does not pass. Integers are
 * big-endian.
 */
import { readU32, writeU32 } from "../../base/big-endian.ts";
import { EMPTY_BYTES } from "../../base/bytes.ts";
import { xxh32 } from "../../base/xxhash.ts";
import { grown } from "./block.ts";
import { Lz4Compressor, lz4Bound, lz4Decompress, lz4MostFrom } from "./lz4.ts";
import type { TableOptions } from "./types.ts";

/** Bytes that a stored block takes beyond its own. */
export const SEAL_BYTES = 5;

const STORED = 0;
const COMPRESSED = 1;

export type Unsealed =
  /** The block is `bytes[0, size)`. */
  | { readonly ok: true; readonly bytes: Uint8Array; readonly size: number }
  | { readonly ok: false; readonly detail: string };

/** Seals the blocks of one table. */
export class Sealer {
  private readonly seed: number;
  private readonly compressor: Lz4Compressor | undefined;
  private scratch: Uint8Array = EMPTY_BYTES;
  private sealed: Uint8Array = EMPTY_BYTES;

  constructor(seed: number, compression: TableOptions["compression"]) {
    this.seed = seed;
    this.compressor = compression === "lz4" ? new Lz4Compressor() : undefined;
  }

  /**
   * `block` (borrowed) as it lies at `offset`; good until the next one is sealed. It is compressed
   * where the options say so and that saves an eighth.
   */
  seal(block: Uint8Array, offset: number): Uint8Array {
    const size = this.compress(block);
    const isCompressed = size < block.length - block.length / 8;
    const body = isCompressed ? this.scratch.subarray(0, size) : block;
    const end = body.length + SEAL_BYTES;
    if (this.sealed.length < end) this.sealed = grown(this.sealed, 0, end);
    const { sealed } = this;
    sealed.set(body);
    sealed[body.length] = isCompressed ? COMPRESSED : STORED;
    const covered = body.length + 1;
    writeU32(xxh32(sealed, 0, covered, blockSeed(this.seed, offset)), sealed, covered);
    return sealed.subarray(0, end);
  }

  /** Size of the compressed form, left in `scratch`; `Infinity` where blocks are only stored. */
  private compress(block: Uint8Array): number {
    if (this.compressor === undefined) return Infinity;
    const bound = 4 + lz4Bound(block.length);
    if (this.scratch.length < bound) this.scratch = new Uint8Array(bound);
    writeU32(block.length, this.scratch, 0);
    return 4 + this.compressor.compress(block, this.scratch.subarray(4));
  }
}

/** Checks and opens the sealed block `bytes[0, length)`, read from `offset`. Keeps `bytes`. */
export function unseal(
  bytes: Uint8Array,
  seed: number,
  offset: number,
  length: number = bytes.length,
): Unsealed {
  const size = length - SEAL_BYTES;
  if (size < 0) return { ok: false, detail: `${length} bytes are no sealed block` };
  if (xxh32(bytes, 0, size + 1, blockSeed(seed, offset)) !== readU32(bytes, size + 1)) {
    return { ok: false, detail: "the block does not match its checksum" };
  }
  const codec = bytes[size]!;
  if (codec === STORED) return { ok: true, bytes, size };
  if (codec !== COMPRESSED) return { ok: false, detail: `codec ${codec} of blocks is unknown` };
  const rawSize = size < 4 ? Infinity : readU32(bytes, 0);
  // Before so much memory is asked for.
  if (rawSize > lz4MostFrom(size))
    return { ok: false, detail: "a compressed block lies about its size" };
  const raw = new Uint8Array(rawSize);
  return lz4Decompress(bytes, 4, size, raw)
    ? { ok: true, bytes: raw, size: rawSize }
    : { ok: false, detail: "the block cannot be decompressed" };
}

const blockSeed = (seed: number, offset: number): number => (seed ^ offset) >>> 0;
