/**
 * Checksums of bytes, in plain code: the engine has no native one. Both can be run over pieces: the
 * checksum of the first piece is the `running` value of the next.
 *
 * CRC-32 (the one of zlib and Ethernet, reflected polynomial EDB88320) guards what we write to
 * disk. CRC-64/XZ (reflected polynomial C96C5795D7870F42) is what TiKV's RawChecksum answers with.
 */

const CRC32_POLYNOMIAL = 0xedb88320;
const CRC64_POLYNOMIAL_HIGH = 0xc96c5795;
const CRC64_POLYNOMIAL_LOW = 0xd7870f42;

/**
 * Eight tables of 256: `[k * 256 + b]` is what byte `b` does to the register when `k` more bytes
 * follow it.
 */
const CRC32_TABLES: Uint32Array = crc32Tables();
/** The high and low halves of one table of 256. */
const CRC64_HIGH: Uint32Array = new Uint32Array(256);
const CRC64_LOW: Uint32Array = new Uint32Array(256);
fillCrc64Tables();

/**
 * The CRC-32 of `bytes[start, end)` behind what `running` is the CRC-32 of. An unsigned 32-bit
 * integer. Borrows `bytes`.
 */
export function crc32(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
  running: number = 0,
): number {
  const tables = CRC32_TABLES;
  let crc = ~running;
  let at = start;
  for (const last = end - 8; at <= last; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      tables[1792 + (crc & 0xff)]! ^
      tables[1536 + ((crc >>> 8) & 0xff)]! ^
      tables[1280 + ((crc >>> 16) & 0xff)]! ^
      tables[1024 + (crc >>> 24)]! ^
      tables[768 + bytes[at + 4]!]! ^
      tables[512 + bytes[at + 5]!]! ^
      tables[256 + bytes[at + 6]!]! ^
      tables[bytes[at + 7]!]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}

/**
 * The CRC-64/XZ of `bytes[start, end)` behind what `running` is the CRC-64/XZ of. Borrows `bytes`.
 */
export function crc64(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
  running: bigint = 0n,
): bigint {
  let high = ~Number(running >> 32n);
  let low = ~Number(running & 0xffff_ffffn);
  for (let at = start; at < end; at++) {
    const index = (low ^ bytes[at]!) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ CRC64_LOW[index]!;
    high = (high >>> 8) ^ CRC64_HIGH[index]!;
  }
  return (BigInt(~high >>> 0) << 32n) | BigInt(~low >>> 0);
}

function crc32Tables(): Uint32Array {
  const tables = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? CRC32_POLYNOMIAL : 0);
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256]!;
    tables[i] = (before >>> 8) ^ tables[before & 0xff]!;
  }
  return tables;
}

function fillCrc64Tables(): void {
  for (let byte = 0; byte < 256; byte++) {
    let high = 0;
    let low = byte;
    for (let bit = 0; bit < 8; bit++) {
      const odd = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (odd) {
        low ^= CRC64_POLYNOMIAL_LOW;
        high ^= CRC64_POLYNOMIAL_HIGH;
      }
    }
    CRC64_HIGH[byte] = high;
    CRC64_LOW[byte] = low;
  }
}
