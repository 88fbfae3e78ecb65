/**
 * The key-value state while one step changes it. Edits of the step share fresh tree nodes; asking
 * for a snapshot closes them, so that the snapshot stays what it is.
 */
import type { Key } from "../base/bytes.ts";
import * as tree from "../base/tree.ts";
import { unreachable } from "../base/assert.ts";
import type { Kv } from "./kv.ts";
import type { ColumnFamily, KvOperation } from "./types.ts";

export interface Workspace {
  get(cf: ColumnFamily, key: Key): Uint8Array | undefined;
  /** Keeps the value. */
  perform(operation: KvOperation): void;
  /** This instant. Costs next to nothing where nothing changed since the last one. */
  snapshot(): Kv;
}

type Edits = Record<ColumnFamily, tree.Edit<Uint8Array>>;

export function openWorkspace(start: Kv): Workspace {
  let kv = start;
  let edits: Edits | undefined;
  const begin = (): Edits =>
    (edits ??= {
      default: tree.edit(kv.default),
      lock: tree.edit(kv.lock),
      write: tree.edit(kv.write),
    });
  return {
    get: (cf, key) => (edits === undefined ? tree.get(kv[cf], key) : edits[cf].get(key)),
    perform: (operation) => performOn(begin(), operation),
    snapshot: () => {
      if (edits !== undefined) {
        kv = {
          default: edits.default.done(),
          lock: edits.lock.done(),
          write: edits.write.done(),
        };
        edits = undefined;
      }
      return kv;
    },
  };
}

function performOn(edits: Edits, operation: KvOperation): void {
  const target = edits[operation.cf];
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
