import * as assert from "uvu/assert";
import { EMPTY_KEY, Key } from "../../engine/base/bytes.ts";
import * as tree from "../../engine/base/tree.ts";
import { COLUMN_FAMILIES, emptyKv } from "../../engine/storage/kv.ts";
import { applyOperations } from "../../engine/storage/workspace.ts";
import type { Kv } from "../../engine/storage/kv.ts";
import { suite } from "../harness.ts";
import { bytes } from "./records.ts";

const test = suite("key-value state");

const put = (cf: "default" | "lock" | "write", key: string, value = key) =>
  ({ type: "put", cf, key: Key(key), value: bytes(value) }) as const;
const keys = (kv: Kv): string[][] =>
  COLUMN_FAMILIES.map((cf) => [...tree.entries(kv[cf])].map(([key]) => key));

test("operations are applied in order, each to its own family", () => {
  const kv = applyOperations(emptyKv(), [
    put("default", "a"),
    put("lock", "a"),
    put("default", "b"),
    { type: "delete", cf: "default", key: Key("a") },
    put("write", "z", "old"),
    put("write", "z", "new"),
  ]);
  assert.equal(keys(kv), [["b"], ["a"], ["z"]]);
  assert.equal(tree.get(kv.write, Key("z")), bytes("new"));
});

test("a range is deleted with its start and without its end, and an empty end is no bound", () => {
  const kv = applyOperations(
    emptyKv(),
    ["a", "b", "c", "d"].map((key) => put("default", key)),
  );
  const range = (start: string, end: Key): Kv =>
    applyOperations(kv, [{ type: "delete_range", cf: "default", start: Key(start), end }]);
  assert.equal(keys(range("b", Key("d")))[0], ["a", "d"]);
  assert.equal(keys(range("b", EMPTY_KEY))[0], ["a"]);
  assert.equal(keys(kv)[0], ["a", "b", "c", "d"]);
});

test.run();
