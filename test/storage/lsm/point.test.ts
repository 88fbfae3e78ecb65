import * as assert from "uvu/assert";
import type { Key } from "../../../engine/base/bytes.ts";
import { MemtableEdit, emptyMemtable } from "../../../engine/storage/lsm/memtable/memtable.ts";
import { stackOf } from "../../../engine/storage/lsm/reading/stack.ts";
import { stackView } from "../../../engine/storage/lsm/reading/view.ts";
import type { TableMeta } from "../../../engine/storage/table/types.ts";
import { suite } from "../../harness.ts";
import { MemoryTables } from "./memory-tables.ts";
import { valueOf } from "./stacks.ts";

const test = suite("points of a stack");

test("what settles the question in a memtable is not looked for in older sources, elsewhere it is", () => {
  const tables = new MemoryTables();
  const prefix = "k" as Key;
  const rest = (version: number): Key => ("\0".repeat(7) + String.fromCharCode(version)) as Key;
  const at = (version: number): Key => (prefix + rest(version)) as Key;
  const run = (version: number): readonly TableMeta[] => [
    tables.add("write", [[at(version), valueOf(version)]], []),
  ];
  const version = { levels: { default: [], lock: [], write: [[], run(2), run(1)] } };
  const under = { ...stackOf(emptyMemtable()), version };
  assert.is(stackView(under, tables).first("write", prefix, rest(0), () => true)?.rest, rest(1));
  const edit = new MemtableEdit(emptyMemtable(), under);
  edit.put("write", at(3), valueOf(3));
  const view = stackView({ ...under, memtable: edit.done() }, tables);
  assert.is(view.first("write", prefix, rest(0))?.rest, rest(1));
  assert.is(view.first("write", prefix, rest(0), () => true)?.rest, rest(3));
});

test.run();
