import fc from "fast-check";
import * as assert from "uvu/assert";
import { Copies } from "../../../engine/storage/table/copies.ts";
import { Spares, roomOf } from "../../../engine/storage/table/spares.ts";
import { suite } from "../../harness.ts";

const test = suite("memory of blocks");

test("what is taken is as large as was asked for, and nobody else's", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(70_000), fc.boolean())), (steps) => {
      const spares = new Spares();
      const taken = new Set<Uint8Array>();
      for (const [size, gives] of steps) {
        const array = spares.take(size);
        assert.is(array.length, roomOf(size));
        assert.ok(array.length >= size && !taken.has(array));
        taken.add(array);
        if (!gives) continue;
        const [first] = taken;
        taken.delete(first!);
        spares.give(first!);
      }
    }),
    { includeErrorInReport: true, numRuns: 60 },
  );
});

test("what was given back is taken again, up to a megabyte of it", () => {
  const spares = new Spares();
  const all = Array.from({ length: 500 }, () => spares.take(4200));
  for (const array of all) spares.give(array);
  const again = Array.from({ length: 500 }, () => spares.take(4100));
  const reused = again.filter((array) => all.includes(array)).length;
  assert.is(reused, Math.floor((1 << 20) / roomOf(4200)));
});

test("a copy keeps its bytes, whatever becomes of the original and of other copies", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 10_000 })), (sizes) => {
      const copies = new Copies();
      const source = new Uint8Array(12_000);
      const made = sizes.map((size, i) => {
        source.fill(i + 1);
        return copies.of(source.subarray(3), 5, 5 + size);
      });
      source.fill(0);
      made.forEach((copy, i) => {
        assert.is(copy.length, sizes[i]);
        assert.ok(copy.every((byte) => byte === ((i + 1) & 255)));
      });
    }),
    { includeErrorInReport: true, numRuns: 60 },
  );
});

test.run();
