import * as assert from "uvu/assert";
import { EMPTY_KEY, Key } from "../../engine/base/bytes.ts";
import { emptyMemtable } from "../../engine/storage/lsm/memtable/memtable.ts";
import { NO_TABLES, stackOf } from "../../engine/storage/lsm/reading/stack.ts";
import { Workspace } from "../../engine/storage/lsm/workspace.ts";
import { COLUMN_FAMILIES } from "../../engine/storage/types.ts";
import type { KvOperation } from "../../engine/storage/types.ts";
import type { KvView } from "../../engine/storage/view.ts";
import { suite } from "../harness.ts";
import { bytes } from "./records.ts";

const test = suite("key-value state");

const put = (cf: "default" | "lock" | "write", key: string, value = key): KvOperation => ({
  type: "put",
  cf,
  key: Key(key),
  value: bytes(value),
});
const keys = (view: KvView): string[][] =>
  COLUMN_FAMILIES.map((cf) => {
    const found: string[] = [];
    const cursor = view.cursor(cf, { lower: EMPTY_KEY, upper: EMPTY_KEY });
    for (cursor.seek(EMPTY_KEY); cursor.valid; cursor.next()) found.push(cursor.key);
    return found;
  });

function workspaceWith(...operations: readonly KvOperation[]): Workspace {
  const workspace = new Workspace(stackOf(emptyMemtable()), NO_TABLES);
  for (const operation of operations) workspace.perform(operation);
  return workspace;
}

test("operations are applied in order, each to its own family", () => {
  const workspace = workspaceWith(
    put("default", "a"),
    put("lock", "a"),
    put("default", "b"),
    { type: "delete", cf: "default", key: Key("a") },
    put("write", "z", "old"),
    put("write", "z", "new"),
  );
  assert.equal(keys(workspace.snapshot()), [["b"], ["a"], ["z"]]);
  assert.equal(workspace.get("write", Key("z")), bytes("new"));
});

test("a range is deleted with its start and without its end, and an empty end is no bound", () => {
  const range = (start: string, end: Key): string[] | undefined => {
    const workspace = workspaceWith(...["a", "b", "c", "d"].map((key) => put("default", key)));
    const before = workspace.snapshot();
    workspace.perform({ type: "delete_range", cf: "default", start: Key(start), end });
    assert.equal(keys(before)[0], ["a", "b", "c", "d"]);
    return keys(workspace.snapshot())[0];
  };
  assert.equal(range("b", Key("d")), ["a", "d"]);
  assert.equal(range("b", EMPTY_KEY), ["a"]);
});

test("a value that was handed in may be changed afterwards", () => {
  const value = bytes("value");
  const workspace = workspaceWith({ type: "put", cf: "default", key: Key("a"), value });
  value.fill(0);
  assert.equal(workspace.get("default", Key("a")), bytes("value"));
});

test.run();
