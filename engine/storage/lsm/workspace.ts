/**
 * The key-value state while one step changes it. Changes of the step share an edit of the memtable;
 * asking for a snapshot closes it, so that the snapshot stays what it is.
 */
import type { Key } from "../../base/bytes.ts";
import { unreachable } from "../../base/assert.ts";
import { TOMBSTONE } from "../table/types.ts";
import type { Clear, TableDamage } from "../table/types.ts";
import type { ColumnFamily, KvOperation } from "../types.ts";
import type { KvView } from "../view.ts";
import { isExposed } from "./exposure.ts";
import { MemtableEdit } from "./memtable/memtable.ts";
import { findOlder, lookUp } from "./reading/stack.ts";
import type { TableReader } from "./reading/stack.ts";
import type { Memtable, Stack } from "./types.ts";
import { stackView } from "./reading/view.ts";

export class Workspace {
  private stack: Stack;
  private readonly tables: TableReader;
  /** Of the changes since the last snapshot, if there are any. */
  private edit: MemtableEdit | undefined;
  /** Of `stack`, once somebody has asked. */
  private view: KvView | undefined;

  constructor(stack: Stack, tables: TableReader) {
    this.stack = stack;
    this.tables = tables;
  }

  get(cf: ColumnFamily, key: Key): Uint8Array | undefined {
    const { stack, tables, edit } = this;
    if (edit === undefined) return lookUp(stack, tables, cf, key);
    const entry = edit.get(cf, key) ?? findOlder(stack, tables, cf, key);
    return entry === TOMBSTONE ? undefined : entry;
  }

  /** Copies the value. */
  perform(operation: KvOperation): void {
    const edit = (this.edit ??= new MemtableEdit(this.stack.memtable, this.stack));
    switch (operation.type) {
      case "put":
        return edit.put(operation.cf, operation.key, operation.value);
      case "delete":
        return edit.delete(operation.cf, operation.key);
      case "delete_range":
        return edit.deleteRange(operation.cf, operation.start, operation.end);
      default:
        unreachable(operation);
    }
  }

  /** This instant. Costs next to nothing where nothing changed since the last one. */
  snapshot(): KvView {
    this.close();
    return (this.view ??= stackView(this.stack, this.tables));
  }

  /** Whether a part of what `damage` has made unknown may be seen (`exposure.ts`). */
  isExposed(damage: TableDamage, part: Clear): boolean {
    this.close();
    return isExposed(this.stack, damage, part);
  }

  /** The memtable with all changes. More may follow. */
  done(): Memtable {
    this.close();
    return this.stack.memtable;
  }

  private close(): void {
    if (this.edit === undefined) return;
    const { layers, version } = this.stack;
    this.stack = { memtable: this.edit.done(), layers, version };
    this.edit = undefined;
    this.view = undefined;
  }
}
