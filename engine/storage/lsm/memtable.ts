/**
 * The newest source. A `Memtable` is a value; a run of changes to it goes through an edit, whose
 * fresh tree nodes are shared until it is done.
 *
 * What is deleted must hide what older sources have. Where they have nothing, nothing is left
 * behind: with nothing under it a memtable is just an ordered map.
 */
import type { Key } from "../../base/bytes.ts";
import * as tree from "../../base/tree.ts";
import { TOMBSTONE } from "../table/types.ts";
import type { Entry } from "../table/types.ts";
import type { ColumnFamily } from "../types.ts";
import { isFreedAlone, keep, newArena } from "./arena.ts";
import { isCleared, withClear } from "./clears.ts";
import { mayHold, mayMeet } from "./stack.ts";
import type { Older } from "./stack.ts";
import type { Memtable } from "./types.ts";

/** Bytes of an entry besides its key's and value's: slots of the tree, header of the string. */
const ENTRY_BYTES = 48;
/** Bytes of a value besides its own: the view of it. */
const VALUE_BYTES = 104;
/** Bytes of a value with a buffer of its own besides that. */
const BUFFER_BYTES = 200;

export const emptyMemtable = (): Memtable => ({
  entries: { default: tree.empty(), lock: tree.empty(), write: tree.empty() },
  clears: { default: tree.empty(), lock: tree.empty(), write: tree.empty() },
  bytes: 0,
  arena: newArena(),
});

/** Whether there is nothing in it to be written anywhere. */
export const isEmpty = ({ entries, clears }: Memtable): boolean =>
  entries.default.size + entries.lock.size + entries.write.size === 0 &&
  clears.default.size + clears.lock.size + clears.write.size === 0;

type Edits = { [F in ColumnFamily]: tree.Edit<Entry> | undefined };

/** Changes to one memtable that become visible together. */
export class MemtableEdit {
  private readonly base: Memtable;
  private readonly older: Older;
  private readonly edits: Edits = { default: undefined, lock: undefined, write: undefined };
  private clears: Memtable["clears"];
  private bytes: number;

  /** `older` is what lies under `base`. */
  constructor(base: Memtable, older: Older) {
    this.base = base;
    this.older = older;
    this.clears = base.clears;
    this.bytes = base.bytes;
  }

  /** What is in the memtable itself; a tombstone also where it clears the key. */
  get(cf: ColumnFamily, key: Key): Entry | undefined {
    const edit = this.edits[cf];
    const entry = edit === undefined ? tree.get(this.base.entries[cf], key) : edit.get(key);
    if (entry !== undefined) return entry;
    return isCleared(this.clears[cf], key) ? TOMBSTONE : undefined;
  }

  /** Copies the value. */
  put(cf: ColumnFamily, key: Key, value: Uint8Array): void {
    const kept = keep(this.base.arena, value);
    this.replaced(key, this.edit(cf).set(key, kept));
    this.bytes += ENTRY_BYTES + key.length + valueBytes(kept) + value.length;
  }

  delete(cf: ColumnFamily, key: Key): void {
    const edit = this.edit(cf);
    if (!isCleared(this.clears[cf], key) && mayHold(this.older, cf, key)) {
      this.replaced(key, edit.set(key, TOMBSTONE));
      this.bytes += ENTRY_BYTES + key.length;
    } else {
      this.replaced(key, edit.remove(key));
    }
  }

  /** Deletes [start, end); an empty end is no bound. */
  deleteRange(cf: ColumnFamily, start: Key, end: Key): void {
    // What the keys had is not asked: that would be a visit to each.
    this.bytes -= this.edit(cf).removeRange(start, end) * ENTRY_BYTES;
    if (!mayMeet(this.older, cf, start, end)) return;
    const clears = withClear(this.clears[cf], start, end);
    if (clears === this.clears[cf]) return;
    this.clears = { ...this.clears, [cf]: clears };
    this.bytes += 2 * ENTRY_BYTES + start.length + end.length;
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
    };
  }

  private edit(cf: ColumnFamily): tree.Edit<Entry> {
    return (this.edits[cf] ??= tree.edit(this.base.entries[cf]));
  }

  /** Takes what was there before out of the account; bytes in the arena stay where they are. */
  private replaced(key: Key, before: Entry | undefined): void {
    if (before === undefined) return;
    this.bytes -= ENTRY_BYTES + key.length;
    if (before === TOMBSTONE) return;
    this.bytes -= valueBytes(before);
    if (isFreedAlone(before.length)) this.bytes -= before.length;
  }
}

const valueBytes = ({ length }: Uint8Array): number =>
  isFreedAlone(length) ? VALUE_BYTES + BUFFER_BYTES : VALUE_BYTES;
