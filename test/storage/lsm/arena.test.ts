import fc from "fast-check";
import * as assert from "uvu/assert";
import { Key } from "../../../engine/base/bytes.ts";
import { entryAt, keep, keptBytes, newArena } from "../../../engine/storage/lsm/memtable/arena.ts";
import { MemtableEdit, emptyMemtable } from "../../../engine/storage/lsm/memtable/memtable.ts";
import { SIEVE_BYTES } from "../../../engine/storage/lsm/memtable/sieve.ts";
import { stackOf } from "../../../engine/storage/lsm/reading/stack.ts";
import { TOMBSTONE } from "../../../engine/storage/table/types.ts";
import { suite } from "../../harness.ts";

const test = suite("arena of a memtable");

/** Mostly small, some near the limit of a chunk's share, some far beyond a chunk. */
const anyLength = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 300 }) },
  { weight: 3, arbitrary: fc.integer({ min: 4000, max: 8200 }) },
  { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 140_000 }) },
);

test("every value stays where it was put, whatever comes after it", () => {
  fc.assert(
    fc.property(fc.array(anyLength, { minLength: 1, maxLength: 60, size: "max" }), (lengths) => {
      const arena = newArena();
      const values = lengths.map((length, i) => new Uint8Array(length).fill(i + 1));
      const slots = values.map((value) => {
        const handed = value.slice();
        const slot = keep(arena, handed);
        handed.fill(0);
        return slot;
      });
      for (const [i, slot] of slots.entries()) {
        assert.is.not(slot, TOMBSTONE);
        const entry = entryAt(arena, slot);
        assert.equal(Buffer.compare(entry as Uint8Array, values[i]!), 0);
      }
      const kept = lengths.reduce((sum, length) => sum + keptBytes(length), 0);
      const held = arena.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      assert.ok(held <= (kept * 8) / 7 + 2 * 64 * 1024, `${held} bytes for ${kept}`);
    }),
    { includeErrorInReport: true, numRuns: 200 },
  );
});

test("a memtable that is written over again and again grows in its account too", () => {
  let memtable = emptyMemtable();
  for (let round = 0; round < 100; round++) {
    const edit = new MemtableEdit(memtable, stackOf(memtable));
    edit.put("default", Key("a"), new Uint8Array(1000));
    memtable = edit.done();
  }
  const held = memtable.arena.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  assert.ok(held > 100_000);
  assert.ok(memtable.bytes > 100_000 && memtable.bytes < 101_000, `${memtable.bytes} bytes`);
});

test("of what is deleted without a trace only the value and the sieve's part stay in the account", () => {
  const memtable = emptyMemtable();
  const edit = new MemtableEdit(memtable, stackOf(memtable));
  for (let i = 0; i < 10; i++) edit.put("lock", Key(`key ${i}`), new Uint8Array(10));
  edit.delete("lock", Key("key 3"));
  edit.delete("lock", Key("key 3"));
  for (const i of [0, 1, 2, 4, 5, 6, 7, 8, 9]) edit.delete("lock", Key(`key ${i}`));
  assert.is(edit.done().bytes, 10 * (keptBytes(10) + SIEVE_BYTES));
});

test.run();
