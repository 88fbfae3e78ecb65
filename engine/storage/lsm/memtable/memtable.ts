/**
 * The newest source. A `Memtable` is a value; a run of changes to it goes through an edit, whose
 * fresh tree nodes are shared until it is done.
 *
 * What is deleted must hide what older sources have. Where they have nothing, nothing is left
 * behind: with nothing under it a memtable is just an ordered map. What was overwritten stays in
 * the arena as long as the memtable, and is counted.
 */
import { EMPTY_KEY } from "../../../base/bytes.ts";
import type { Key } from "../../../base/bytes.ts";
import * as tree from "../../../base/tree.ts";
import { TOMBSTONE } from "../../table/types.ts";
import type { Entry } from "../../table/types.ts";
import type { ColumnFamily } from "../../types.ts";
import {
  MAX_KEPT_KEY,
  entryAt,
  keep,
  keepWithKey,
  keptBytes,
  keptKeyBytes,
  newArena,
} from "./arena.ts";
import type { Slot } from "./arena.ts";
import { isCleared, withClear } from "../clears.ts";
import { NEWEST_BYTES, Newest } from "./newest.ts";
import { SIEVE_BYTES, Sieve } from "./sieve.ts";
import { mayHold, mayMeet } from "../reading/stack.ts";
import type { Older } from "../reading/stack.ts";
import type { Memtable } from "../types.ts";

/** Bytes of an entry besides its key's and value's: slots of the tree, header of the string. */
const ENTRY_BYTES = 40;
/** What the heap grows by for each byte that lives on it: much of it waits for the collector. */
const HEAP_FACTOR = 2;

/** Of a memtable that the index of newest versions does not tell of. */
const NO_MOMENT = -1;

/** What an entry takes on the heap. */
const heapBytes = (key: Key): number => HEAP_FACTOR * (ENTRY_BYTES + key.length);

export function emptyMemtable(): Memtable {
  const arena = newArena();
  return {
    entries: { default: tree.empty(), lock: tree.empty(), write: tree.empty() },
    clears: { default: tree.empty(), lock: tree.empty(), write: tree.empty() },
    bytes: 0,
    arena,
    sieves: { default: new Sieve(), lock: new Sieve() },
    newest: new Newest(arena),
    moment: 0,
  };
}

/** Whether there is nothing in it to be written anywhere. */
export const isEmpty = (memtable: Memtable): boolean =>
  sizeOf(memtable.entries) === 0 && !hasClears(memtable);

/** Whether it hides ranges of what is under it. */
export const hasClears = ({ clears }: Memtable): boolean => sizeOf(clears) > 0;

const sizeOf = (trees: Memtable["entries"] | Memtable["clears"]): number =>
  trees.default.size + trees.lock.size + trees.write.size;

type Edits = { [F in ColumnFamily]: tree.Edit<Slot> | undefined };

/** Changes to one memtable that become visible together. */
export class MemtableEdit {
  private readonly base: Memtable;
  private readonly older: Older;
  private readonly edits: Edits = { default: undefined, lock: undefined, write: undefined };
  private clears: Memtable["clears"];
  private bytes: number;
  private moment: number;

  /** `older` is what lies under `base`. */
  constructor(base: Memtable, older: Older) {
    this.base = base;
    this.older = older;
    this.clears = base.clears;
    this.bytes = base.bytes;
    this.moment = base.moment;
  }

  /** What is in the memtable itself; a tombstone also where it clears the key. */
  get(cf: ColumnFamily, key: Key): Entry | undefined {
    const edit = this.edits[cf];
    const slot = edit === undefined ? tree.get(this.base.entries[cf], key) : edit.get(key);
    if (slot !== undefined) return entryAt(this.base.arena, slot);
    return isCleared(this.clears[cf], key) ? TOMBSTONE : undefined;
  }

  /** Copies the value. */
  put(cf: ColumnFamily, key: Key, value: Uint8Array): void {
    const edit = this.edit(cf);
    if (edit.set(key, this.kept(cf, key, value)) === undefined) this.added(cf, key);
    this.bytes += keptBytes(value.length);
  }

  delete(cf: ColumnFamily, key: Key): void {
    const edit = this.edit(cf);
    if (!isCleared(this.clears[cf], key) && mayHold(this.older, cf, key)) {
      if (edit.set(key, TOMBSTONE) === undefined) this.added(cf, key);
    } else if (edit.remove(key) !== undefined) {
      this.bytes -= heapBytes(key);
    } else return;
    if (cf === "write" && this.hasIndex(key)) this.base.newest.delete(key);
  }

  /** Deletes [start, end); an empty end is no bound. */
  deleteRange(cf: ColumnFamily, start: Key, end: Key): void {
    // How long the keys are is not asked: that would be a visit to each.
    const removed = this.edit(cf).removeRange(start, end);
    this.bytes -= removed * heapBytes(EMPTY_KEY);
    if (cf === "write" && removed > 0) this.moment = NO_MOMENT;
    if (!mayMeet(this.older, cf, start, end)) return;
    const clears = withClear(this.clears[cf], start, end);
    if (clears === this.clears[cf]) return;
    const { default: values, lock, write } = this.clears;
    this.clears = {
      default: cf === "default" ? clears : values,
      lock: cf === "lock" ? clears : lock,
      write: cf === "write" ? clears : write,
    };
    this.bytes += heapBytes(start) + heapBytes(end);
  }

  /** The new memtable. The edit must not be used afterwards. */
  done(): Memtable {
    const { base, edits } = this;
    return {
      entries: {
        default: edits.default?.done() ?? base.entries.default,
        lock: edits.lock?.done() ?? base.entries.lock,
        write: edits.write?.done() ?? base.entries.write,
      },
      clears: this.clears,
      bytes: this.bytes,
      arena: base.arena,
      sieves: base.sieves,
      newest: base.newest,
      moment: this.moment,
    };
  }

  private added(cf: ColumnFamily, key: Key): void {
    this.bytes += heapBytes(key);
    if (cf === "write") return;
    this.base.sieves[cf].add(key);
    this.bytes += SIEVE_BYTES;
  }

  private kept(cf: ColumnFamily, key: Key, value: Uint8Array): Slot {
    const { arena, newest } = this.base;
    if (cf !== "write" || !this.hasIndex(key)) return keep(arena, value);
    const slot = keepWithKey(arena, key, value);
    this.bytes += keptKeyBytes(key.length);
    if (newest.put(key, slot)) this.bytes += NEWEST_BYTES;
    return slot;
  }

  /** Whether the index tells of this edit's memtable still when `key` has changed. */
  private hasIndex(key: Key): boolean {
    if (key.length > MAX_KEPT_KEY) this.moment = NO_MOMENT;
    return this.moment !== NO_MOMENT;
  }

  private edit(cf: ColumnFamily): tree.Edit<Slot> {
    const open = this.edits[cf];
    if (open !== undefined) return open;
    if (cf === "write") this.takeIndex();
    return (this.edits[cf] = tree.edit(this.base.entries[cf]));
  }

  /** From now on the index tells of this edit's memtable, if it told of the one it began with. */
  private takeIndex(): void {
    const { newest, moment } = this.base;
    if (newest.moment === moment) this.moment = newest.moment += 1;
    else this.moment = NO_MOMENT;
  }
}
