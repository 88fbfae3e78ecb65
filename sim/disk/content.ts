/**
 * The content of one simulated file: what a reader sees, and what a loss of power may leave of it.
 *
 * Everything written since the last sync is kept as a list of changes. When power is lost each
 * sector takes the state it had after any of them, or a torn mix of two such states; what was
 * synced before is never touched.
 */
import { assert } from "../../engine/base/assert.ts";

/** Bytes that a disk writes all or not at all, unless it tears. */
export const SECTOR_BYTES = 512;

/** A stream of numbers in [0, 1), drawn one at a time. */
export type Random = () => number;

/** Most files of a simulated store are small, and a page is cleared when it is made. */
const PAGE_BYTES = 1 << 12;

type Change =
  | { readonly type: "write"; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly type: "resize"; readonly size: number };

/**
 * Durable bytes that unsynced changes have covered: what stood from `offset` to the durable end.
 */
interface Covered {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Owned by one disk. `clone` is cheap: pages are shared until either side writes to them. */
export class Content {
  #pages: Uint8Array[] = [];
  /** Whether the page of the same place may be written in place. */
  #owned: boolean[] = [];
  #size = 0;
  #durableSize = 0;
  #covered: Covered | undefined;
  #changes: Change[] = [];
  /** Numbers of sectors that cannot be read until they are written again. */
  #bad = new Set<number>();
  #damaged = false;

  get size(): number {
    return this.#size;
  }

  /** Whether bytes that were synced have been lost: by rot, a bad sector or a stray write. */
  get damaged(): boolean {
    return this.#damaged;
  }

  /** Whether a loss of power could change anything. */
  get dirty(): boolean {
    return this.#changes.length > 0;
  }

  /** Writes behind the end. Keeps `bytes`. */
  append(bytes: Uint8Array): void {
    this.write(this.#size, bytes);
  }

  /** Writes at `offset`, which may lie behind the end: the gap reads as zeros. Keeps `bytes`. */
  write(offset: number, bytes: Uint8Array): void {
    this.#cover(offset);
    this.#put(offset, bytes);
    this.#size = Math.max(this.#size, offset + bytes.length);
    this.#changes.push({ type: "write", offset, bytes });
  }

  resize(size: number): void {
    if (size === this.#size) return;
    this.#cover(size);
    this.#cut(size);
    this.#changes.push({ type: "resize", size });
    if (size === 0) {
      this.#damaged = false;
      this.#bad.clear();
    }
  }

  /** Everything written so far survives whatever comes. */
  sync(): void {
    if (this.#changes.length > 0) this.#changes = [];
    this.#covered = undefined;
    this.#durableSize = this.#size;
  }

  /** Whether no sector of [offset, offset + length) is bad. */
  readable(offset: number, length: number): boolean {
    if (this.#bad.size === 0) return true;
    const end = Math.min(this.#size, offset + length);
    for (let at = sectorOf(offset); at * SECTOR_BYTES < end; at++) {
      if (this.#bad.has(at)) return false;
    }
    return true;
  }

  /** Up to `length` bytes from `offset`, fresh. */
  read(offset: number, length: number): Uint8Array {
    const end = Math.min(this.#size, offset + length);
    const bytes = new Uint8Array(Math.max(0, end - offset));
    for (let at = offset; at < end;) {
      const page = Math.floor(at / PAGE_BYTES);
      const start = at - page * PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - start, end - at);
      bytes.set(this.#pages[page]!.subarray(start, start + count), at - offset);
      at += count;
    }
    return bytes;
  }

  /**
   * The power is gone: every sector changed since the last sync, and the size, fall back to what
   * they were after some prefix of the changes, each on its own; some sectors tear.
   * `tearing` is the chance of a changed sector to be torn.
   */
  settle(random: Random, tearing: number): void {
    const changes = this.#changes;
    if (changes.length === 0) return;
    const sizes = [this.#durableSize];
    let low = this.#durableSize;
    let size = this.#durableSize;
    let high = size;
    for (const change of changes) {
      const at = change.type === "write" ? change.offset : change.size;
      size = change.type === "write" ? Math.max(size, at + change.bytes.length) : change.size;
      low = Math.min(low, at);
      high = Math.max(high, size);
      sizes.push(size);
    }
    const start = low - (low % SECTOR_BYTES);
    const settled = this.#settled(start, high, random, tearing);
    const end = sizes[pick(random, sizes.length)]!;
    this.#cut(Math.min(start, end));
    if (end > start) this.#put(start, settled.subarray(0, end - start));
    this.#size = end;
    this.sync();
  }

  /** Inverts the bits of `mask` in the byte at `offset`, durably. */
  flip(offset: number, mask: number): void {
    assert(offset < this.#size && mask > 0 && mask < 256, "a bit of the file rots");
    assert(!this.dirty, "bits rot in synced files");
    const byte = this.read(offset, 1)[0]!;
    this.#put(offset, Uint8Array.of(byte ^ mask));
    this.#damaged = true;
  }

  /** The sector of the byte at `offset` cannot be read any more. */
  spoil(offset: number): void {
    assert(offset < this.#size, "a sector of the file goes bad");
    this.#bad.add(sectorOf(offset));
    this.#damaged = true;
  }

  /** A write that was meant for another place lands here: what stood at `offset` is lost. */
  stray(offset: number, bytes: Uint8Array): void {
    this.write(offset, bytes);
    this.#damaged = true;
  }

  /** A write that was meant for this end has gone elsewhere: zeros stand in its place. */
  miss(length: number): void {
    this.append(new Uint8Array(length));
    this.#damaged = true;
  }

  clone(): Content {
    const copy = new Content();
    this.#owned.fill(false);
    copy.#pages = [...this.#pages];
    copy.#owned = [...this.#owned];
    copy.#size = this.#size;
    copy.#durableSize = this.#durableSize;
    copy.#covered = this.#covered;
    copy.#changes = [...this.#changes];
    copy.#bad = new Set(this.#bad);
    copy.#damaged = this.#damaged;
    return copy;
  }

  /** The bytes [start, end) as the draw leaves them. */
  #settled(start: number, end: number, random: Random, tearing: number): Uint8Array {
    const settled = this.#durable(start, end);
    const versions = this.#changes.length + 1;
    for (let at = 0; at < settled.length; at += SECTOR_BYTES) {
      const stop = Math.min(at + SECTOR_BYTES, settled.length);
      const durable = settled.slice(at, stop);
      const sector = this.#changed(durable, start + at, pick(random, versions));
      settled.set(sector, at);
      if (random() < tearing) {
        const torn = pick(random, stop - at);
        const other = this.#changed(durable, start + at, pick(random, versions));
        settled.set(other.subarray(0, torn), at);
      }
    }
    return settled;
  }

  /** What the durable bytes at `start` are behind the first `count` changes. */
  #changed(durable: Uint8Array, start: number, count: number): Uint8Array {
    const bytes = durable.slice();
    const end = start + bytes.length;
    for (let i = 0; i < count; i++) {
      const change = this.#changes[i]!;
      if (change.type !== "write") {
        if (change.size < end) bytes.fill(0, Math.max(0, change.size - start));
        continue;
      }
      const from = Math.max(start, change.offset);
      const until = Math.min(end, change.offset + change.bytes.length);
      if (from >= until) continue;
      bytes.set(change.bytes.subarray(from - change.offset, until - change.offset), from - start);
    }
    return bytes;
  }

  /** The durable bytes of [start, end), zeros behind the durable end. */
  #durable(start: number, end: number): Uint8Array {
    const bytes = new Uint8Array(end - start);
    const covered = this.#covered;
    const visible = Math.min(covered === undefined ? this.#durableSize : covered.offset, end);
    if (visible > start) bytes.set(this.read(start, visible - start));
    if (covered !== undefined && covered.offset < end) {
      bytes.set(covered.bytes.subarray(0, end - covered.offset), covered.offset - start);
    }
    return bytes;
  }

  /** Remembers the durable bytes from `offset` on before they are written over. */
  #cover(offset: number): void {
    const covered = this.#covered;
    const until = covered === undefined ? this.#durableSize : covered.offset;
    if (offset >= until) return;
    const bytes = new Uint8Array(this.#durableSize - offset);
    bytes.set(this.read(offset, until - offset));
    if (covered !== undefined) bytes.set(covered.bytes, until - offset);
    this.#covered = { offset, bytes };
  }

  #cut(size: number): void {
    const pages = Math.ceil(size / PAGE_BYTES);
    if (size < this.#size) {
      this.#pages.length = Math.min(this.#pages.length, pages);
      this.#owned.length = this.#pages.length;
      const rest = size % PAGE_BYTES;
      if (rest > 0) this.#page(pages - 1).fill(0, rest);
    } else {
      this.#grow(pages);
    }
    this.#size = size;
  }

  #put(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    if (this.#bad.size > 0) {
      for (let at = sectorOf(offset); at * SECTOR_BYTES < end; at++) this.#bad.delete(at);
    }
    this.#grow(Math.ceil(end / PAGE_BYTES));
    for (let at = offset; at < end;) {
      const page = Math.floor(at / PAGE_BYTES);
      const start = at - page * PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - start, end - at);
      this.#page(page).set(
        count === bytes.length ? bytes : bytes.subarray(at - offset, at - offset + count),
        start,
      );
      at += count;
    }
  }

  #grow(pages: number): void {
    while (this.#pages.length < pages) {
      this.#pages.push(new Uint8Array(PAGE_BYTES));
      this.#owned.push(true);
    }
  }

  /** The page at this place, made writable. */
  #page(index: number): Uint8Array {
    if (this.#owned[index] !== true) {
      this.#pages[index] = this.#pages[index]!.slice();
      this.#owned[index] = true;
    }
    return this.#pages[index]!;
  }
}

const sectorOf = (offset: number): number => Math.floor(offset / SECTOR_BYTES);

/** A whole number in [0, count). */
export function pick(random: Random, count: number): number {
  return Math.min(count - 1, Math.floor(random() * count));
}
