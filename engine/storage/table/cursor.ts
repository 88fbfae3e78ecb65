/** A place in one table, and walking from entry to entry both ways, a group at a time. */
import { assert } from "../../base/assert.ts";
import { EMPTY_KEY } from "../../base/bytes.ts";
import type { Key } from "../../base/bytes.ts";
import { Group } from "./block-reader.ts";
import type { Block } from "./block-reader.ts";
import { EntryHead } from "./entry-head.ts";
import type { TableIndex } from "./index-block.ts";
import { TOMBSTONE } from "./types.ts";
import type { Entry, EntryCursor } from "./types.ts";

/** A table's blocks, wherever they come from. */
export interface BlockSource {
  /** Undefined where the table cannot be opened: noted. */
  index(): TableIndex | undefined;
  /** Undefined where the block cannot be read: noted. */
  block(ordinal: number): Block | undefined;
  /** Notes that a block that was read is not in order. */
  corrupt(ordinal: number): void;
}

export class TableCursor implements EntryCursor {
  private readonly source: BlockSource;
  private readonly head: EntryHead = new EntryHead();
  private readonly group: Group = new Group();
  private index: TableIndex | undefined;
  private block: Block | undefined;
  private ordinal = 0;
  private groupNumber = 0;
  /** Place in the group, `group.count` or -1 in passing. */
  private at = 0;
  private isValid = false;
  private madeKey: Key | undefined;
  private madeEntry: Entry | undefined;

  constructor(source: BlockSource) {
    this.source = source;
  }

  get valid(): boolean {
    return this.isValid;
  }

  get key(): Key {
    return (this.madeKey ??= this.makeKey());
  }

  get entry(): Entry {
    return (this.madeEntry ??= this.makeEntry());
  }

  seek(key: Key): void {
    this.leave();
    const index = this.open();
    if (index === undefined || index.count === 0) return;
    const ordinal = Math.max(index.find(key), 0);
    if (!this.enterBlock(ordinal)) return;
    if (!this.enterGroup(Math.max(this.block!.groupOf(key, this.head), 0))) return;
    this.at = this.group.lowerBound(key, this.head);
    this.settleForward();
  }

  seekBefore(key: Key): void {
    this.leave();
    const index = this.open();
    if (index === undefined || index.count === 0) return;
    const isBounded = key !== EMPTY_KEY;
    const ordinal = isBounded ? index.find(key) : index.count - 1;
    if (ordinal < 0 || !this.enterBlock(ordinal)) return;
    const block = this.block!;
    const group = isBounded ? block.groupOf(key, this.head) : block.groups - 1;
    if (!this.enterGroup(Math.max(group, 0))) return;
    this.at = (isBounded ? this.group.lowerBound(key, this.head) : this.group.count) - 1;
    this.settleBackward();
  }

  next(): void {
    assert(this.isValid, "only a cursor at an entry goes on");
    this.leave();
    this.at += 1;
    this.settleForward();
  }

  previous(): void {
    assert(this.isValid, "only a cursor at an entry goes back");
    this.leave();
    this.at -= 1;
    this.settleBackward();
  }

  /** From behind a group to the first entry of the next. */
  private settleForward(): void {
    const { group } = this;
    if (this.at === group.count) {
      const last = group.key(group.count - 1);
      const isLastGroup = this.groupNumber + 1 === this.block!.groups;
      if (isLastGroup) {
        if (this.ordinal + 1 === this.index!.count || !this.enterBlock(this.ordinal + 1)) return;
      }
      if (!this.enterGroup(isLastGroup ? 0 : this.groupNumber + 1)) return;
      if (group.key(0) <= last) return this.source.corrupt(this.ordinal);
      this.at = 0;
    }
    this.isValid = true;
  }

  /** From before a group to the last entry of the one before. */
  private settleBackward(): void {
    const { group } = this;
    if (this.at < 0) {
      const first = group.key(0);
      const isFirstGroup = this.groupNumber === 0;
      if (isFirstGroup && (this.ordinal === 0 || !this.enterBlock(this.ordinal - 1))) return;
      const before = isFirstGroup ? this.block!.groups - 1 : this.groupNumber - 1;
      if (!this.enterGroup(before)) return;
      if (group.key(group.count - 1) >= first) return this.source.corrupt(this.ordinal);
      this.at = group.count - 1;
    }
    this.isValid = true;
  }

  private open(): TableIndex | undefined {
    return (this.index ??= this.source.index());
  }

  private enterBlock(ordinal: number): boolean {
    this.ordinal = ordinal;
    this.block = this.source.block(ordinal);
    return this.block !== undefined;
  }

  private enterGroup(group: number): boolean {
    this.groupNumber = group;
    if (this.group.read(this.block!, group, this.head)) return true;
    this.source.corrupt(this.ordinal);
    return false;
  }

  private leave(): void {
    this.isValid = false;
    this.madeKey = undefined;
    this.madeEntry = undefined;
  }

  private makeKey(): Key {
    assert(this.isValid, "only a cursor at an entry has a key");
    return this.group.key(this.at);
  }

  private makeEntry(): Entry {
    assert(this.isValid, "only a cursor at an entry has one");
    const start = this.group.valueStart(this.at);
    const end = this.group.valueEnd(this.at);
    if (end < 0) return TOMBSTONE;
    const { bytes } = this.block!;
    return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
  }
}
