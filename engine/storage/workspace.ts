/**
 * The key-value state while one step changes it. Edits of the step share fresh tree nodes; asking
 * for a snapshot closes them, so that the snapshot stays what it is.
 */
import type { Key } from "../base/bytes.ts";
import * as tree from "../base/tree.ts";
import { unreachable } from "../base/assert.ts";
import type { Kv } from "./kv.ts";
import type { ColumnFamily, KvOperation } from "./types.ts";

type Edits = { [F in ColumnFamily]: tree.Edit<Uint8Array> | undefined };

export class Workspace {
  private kv: Kv;
  /** Of the families that changed since the last snapshot; undefined where none did. */
  private edits: Edits | undefined;

  constructor(start: Kv) {
    this.kv = start;
  }

  get(cf: ColumnFamily, key: Key): Uint8Array | undefined {
    const edit = this.edits?.[cf];
    return edit === undefined ? tree.get(this.kv[cf], key) : edit.get(key);
  }

  /** Keeps the value. */
  perform(operation: KvOperation): void {
    const target = this.edit(operation.cf);
    switch (operation.type) {
      case "put":
        target.set(operation.key, operation.value);
        return;
      case "delete":
        target.remove(operation.key);
        return;
      case "delete_range":
        target.removeRange(operation.start, operation.end);
        return;
      default:
        unreachable(operation);
    }
  }

  /** This instant. Costs next to nothing where nothing changed since the last one. */
  snapshot(): Kv {
    const { kv, edits } = this;
    if (edits === undefined) return kv;
    this.edits = undefined;
    this.kv = {
      default: edits.default?.done() ?? kv.default,
      lock: edits.lock?.done() ?? kv.lock,
      write: edits.write?.done() ?? kv.write,
    };
    return this.kv;
  }

  private edit(cf: ColumnFamily): tree.Edit<Uint8Array> {
    this.edits ??= { default: undefined, lock: undefined, write: undefined };
    return (this.edits[cf] ??= tree.edit(this.kv[cf]));
  }
}

/** `kv` after all of `operations`, in order; `kv` itself stays as it was. Keeps the values. */
export function applyOperations(kv: Kv, operations: readonly KvOperation[]): Kv {
  const workspace = new Workspace(kv);
  for (const operation of operations) workspace.perform(operation);
  return workspace.snapshot();
}
