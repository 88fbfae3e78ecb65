/**
 * Says of most keys that a memtable lacks that it lacks them, at the price of one line of the
 * processor's cache. A descent through the tree touches a dozen of them, for its nodes and keys lie
 * anywhere; it would be in vain for every key that has reached the tables.
 *
 * Shared by all memtables that come of one another, as their arena is: bits are only ever set. So
 * an older one hears "maybe" of a key that came later, and none hears "no" of a key that it has.
 */
import type { Key } from "../../../base/bytes.ts";
import { KeyHash, LINE_BYTES, filterAdd, lineHas, lineOf } from "../../table/filter.ts";

const BITS_PER_KEY = 12;
const PROBES = 6;
const FIRST_KEYS = 32;

/** About what a key takes: its hash, and its bits where the sieve has just been doubled. */
export const SIEVE_BYTES = 12;

export class Sieve {
  private readonly hash: KeyHash = new KeyHash();
  /** Of every key, two halves each: a sieve that has become too small is made anew of these. */
  private hashes: Int32Array = new Int32Array(2 * FIRST_KEYS);
  private count = 0;
  private lines = linesFor(FIRST_KEYS);
  private filter: Uint8Array = new Uint8Array(LINE_BYTES * linesFor(FIRST_KEYS));

  /** From now on the key may be there. Costs memory also for one that is known already. */
  add(key: Key): void {
    const { hash } = this;
    if (2 * this.count === this.hashes.length) this.grow();
    hash.of(key, key.length);
    this.hashes[2 * this.count] = hash.line;
    this.hashes[2 * this.count + 1] = hash.bits;
    this.count += 1;
    filterAdd(this.filter, lineOf(hash.line, this.lines), hash.bits, PROBES);
  }

  /** False only where the key was never added. */
  mayContain(key: Key): boolean {
    if (this.count === 0) return false;
    const { hash } = this;
    hash.of(key, key.length);
    return lineHas(this.filter, lineOf(hash.line, this.lines), hash.bits, PROBES);
  }

  /** Room for twice as many keys. */
  private grow(): void {
    const { hashes, count } = this;
    this.hashes = new Int32Array(2 * hashes.length);
    this.hashes.set(hashes);
    this.lines = linesFor(2 * count);
    this.filter = new Uint8Array(LINE_BYTES * this.lines);
    for (let i = 0; i < count; i++) {
      filterAdd(this.filter, lineOf(hashes[2 * i]!, this.lines), hashes[2 * i + 1]!, PROBES);
    }
  }
}

const linesFor = (keys: number): number => Math.ceil((keys * BITS_PER_KEY) / (8 * LINE_BYTES));
