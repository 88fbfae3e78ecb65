/**
 * The rolling hash of a run: two 32-bit lanes over every event's time, number, node, type and
 * payload. Equal hashes mean that two runs did the same; it guards determinism, not against malice.
 */

/** Mutable: one for each run. */
export interface Hash {
  high: number;
  low: number;
}

export const freshHash = (): Hash => ({ high: 0x6a09e667, low: 0xbb67ae85 | 0 });

/** Mixes 32 bits in. The multipliers are odd constants of splitmix and murmur3. */
export function mix(hash: Hash, value: number): void {
  const low = Math.imul(hash.low ^ value, 0x85ebca6b);
  const high = Math.imul(hash.high ^ low, 0xc2b2ae35) + value;
  hash.low = (low ^ (high >>> 15)) | 0;
  hash.high = (high ^ (low >>> 13)) | 0;
}

/** Mixes a safe integer in, or a fraction's exact bits above 2^-20. */
export function mixNumber(hash: Hash, value: number): void {
  mix(hash, value | 0);
  mix(hash, (value / 0x100000000) | 0);
}

export function mixBytes(hash: Hash, bytes: Uint8Array): void {
  mix(hash, bytes.length);
  let word = 0;
  for (let i = 0; i < bytes.length; i++) {
    word = Math.imul(word ^ (bytes[i] as number), 0x01000193);
  }
  mix(hash, word);
}

export function mixText(hash: Hash, text: string): void {
  mix(hash, text.length);
  let word = 0;
  for (let i = 0; i < text.length; i++) {
    word = Math.imul(word ^ text.charCodeAt(i), 0x01000193);
  }
  mix(hash, word);
}

/** A text as 32 bits, not negative. */
export function textHash(text: string): number {
  const hash = freshHash();
  mixText(hash, text);
  return (hash.low ^ hash.high) >>> 0;
}

/** Sixteen hexadecimal digits. */
export const hashText = (hash: Hash): string => word(hash.high) + word(hash.low);

const word = (value: number): string => (value >>> 0).toString(16).padStart(8, "0");
