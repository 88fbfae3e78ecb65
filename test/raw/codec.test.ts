import fc from "fast-check";
import * as assert from "uvu/assert";
import { hex } from "../../engine/base/bytes.ts";
import type { Key } from "../../engine/base/bytes.ts";
import { createWire } from "../../engine/base/wire.ts";
import { decodeEntry, encodeEntry } from "../../engine/region/command.ts";
import type { RawEntry } from "../../engine/region/command.ts";
import type { RawCommand } from "../../engine/raw/command.ts";
import { COLUMN_FAMILIES } from "../../engine/storage/types.ts";
import { suite } from "../harness.ts";

const test = suite("raw/codec");
const wire = createWire();

const entryOf = (commands: readonly RawCommand[]): RawEntry => ({
  type: "raw",
  version: 3,
  nowSeconds: 1_700_000_000,
  commands,
});

/** The commands of `entry` once it has been through the log. */
function logged(entry: RawEntry): RawEntry {
  const decoded = decodeEntry(encodeEntry(entry, wire), wire);
  if (decoded.type !== "raw") throw new Error(`a ${decoded.type} came back`);
  return decoded;
}

const cf = fc.constantFrom(...COLUMN_FAMILIES);
const key = fc.uint8Array({ maxLength: 20 }).map((bytes) => String.fromCharCode(...bytes) as Key);
const value = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.nat({ max: 3000 }).map((size) => new Uint8Array(size).fill(size)),
);
const optional = fc.option(value, { nil: undefined });
const expiresAt = fc.maxSafeNat();
const plain = { noNullPrototype: true };
const anyCommand: fc.Arbitrary<RawCommand> = fc.oneof(
  fc.record({ type: fc.constant("put" as const), cf, key, value, expiresAt }, plain),
  fc.record({ type: fc.constant("delete" as const), cf, key }, plain),
  fc.record({ type: fc.constant("delete_range" as const), cf, start: key, end: key }, plain),
  fc.record(
    {
      type: fc.constant("compare_and_swap" as const),
      cf,
      key,
      expected: optional,
      replacement: optional,
      expiresAt,
    },
    plain,
  ),
);

test("commands survive their bytes, in their order", () => {
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 30 }), (commands) => {
      const entry = entryOf(commands);
      assert.equal(logged(entry), entry);
    }),
    { includeErrorInReport: true },
  );
});

test("the bytes of raw writes are laid out as they have always been", () => {
  const commands: readonly RawCommand[] = [
    { type: "put", cf: "default", key: "ab" as Key, value: Uint8Array.of(7, 8), expiresAt: 300 },
    { type: "delete", cf: "write", key: "\xff" as Key },
    { type: "delete_range", cf: "lock", start: "a" as Key, end: "" as Key },
    {
      type: "compare_and_swap",
      cf: "default",
      key: "c" as Key,
      expected: undefined,
      replacement: Uint8Array.of(9),
      expiresAt: 0,
    },
  ];
  const head = "010380e2cfaa06";
  const heads = ["0002616202ac02", "0901ff", "06016100", "030163000200"];
  assert.is(hex(encodeEntry(entryOf(commands), wire)), [head, "14", ...heads, "070809"].join(""));
});

test.run();
