/** Damage on the way of a job: what a newer clear hides does not matter, wherever it lies. */
import * as assert from "uvu/assert";
import { EMPTY_KEY } from "../../../engine/base/bytes.ts";
import type { Key } from "../../../engine/base/bytes.ts";
import { JobInput } from "../../../engine/storage/lsm/jobs/input.ts";
import { TableCache } from "../../../engine/storage/table/cache.ts";
import { tableFile } from "../../../engine/storage/table/file.ts";
import type { TableMeta } from "../../../engine/storage/table/types.ts";
import { suite } from "../../harness.ts";
import { MemoryDisk, build } from "../table/tables.ts";

const test = suite("job input");

const key = (i: number): Key => `key ${String(i).padStart(3, "0")}` as Key;

/** Two tables of one run, 0..39 and 40..79; the first has one damaged byte. */
function damagedAt(offset: number): { disk: MemoryDisk; run: readonly TableMeta[] } {
  const disk = new MemoryDisk();
  const table = (number: number, from: number): TableMeta => {
    const entries = Array.from(
      { length: 40 },
      (_, i) => [key(from + i), new Uint8Array(30)] as const,
    );
    return build(disk, number, { cf: "default", entries, clears: [] });
  };
  const run = [table(1, 0), table(2, 40)];
  const bytes = disk.files.get(tableFile(1))!;
  bytes[offset] = bytes[offset]! ^ 1;
  return { disk, run };
}

function keysOf(input: JobInput): Key[] {
  const keys: Key[] = [];
  for (input.seek(EMPTY_KEY); input.valid; input.next()) keys.push(input.key);
  return keys;
}

test("hidden damage is leapt over at any place of a table, and the rest of the run is read", () => {
  const { size } = damagedAt(0).run[0]!;
  for (let offset = 0; offset < size; offset += 7) {
    const { disk, run } = damagedAt(offset);
    const input = new JobInput(run, new TableCache(disk, 1 << 20), [
      { start: EMPTY_KEY, end: key(40) },
    ]);
    const keys = keysOf(input);
    assert.is(input.damage, undefined, `byte ${offset}`);
    assert.equal(
      keys.slice(-40),
      Array.from({ length: 40 }, (_, i) => key(40 + i)),
      `byte ${offset}`,
    );
  }
});

test("damage that nothing hides ends the run and is told", () => {
  const { disk, run } = damagedAt(10);
  const input = new JobInput(run, new TableCache(disk, 1 << 20), []);
  assert.equal(keysOf(input), []);
  assert.is(input.damage?.table, 1);
});

test.run();
