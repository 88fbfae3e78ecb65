import fc from "fast-check";
import * as assert from "uvu/assert";
import { compareBytes, keyFromBytes, keyToBytes, prefixEnd } from "../../engine/base/bytes.ts";
import { suite } from "../harness.ts";

const test = suite("bytes");
const anyBytes = fc.uint8Array({ maxLength: 12 });

test("keys order as their bytes do", () => {
  fc.assert(
    fc.property(anyBytes, anyBytes, (a, b) => {
      const left = keyFromBytes(a);
      const right = keyFromBytes(b);
      assert.is(Math.sign(compareBytes(a, b)), left < right ? -1 : left > right ? 1 : 0);
    }),
    { includeErrorInReport: true },
  );
});

test("a key gives back the bytes it was made of", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 10_000 }), (bytes) => {
      assert.equal(keyToBytes(keyFromBytes(bytes)), bytes);
    }),
    { includeErrorInReport: true },
  );
});

test("the end of a prefix is the least key above every key that starts with it", () => {
  fc.assert(
    fc.property(anyBytes, anyBytes, (a, b) => {
      const prefix = keyFromBytes(a);
      const key = keyFromBytes(b);
      const end = prefixEnd(prefix);
      const inside = key >= prefix && (end === "" || key < end);
      assert.is(inside, key.startsWith(prefix));
    }),
    { includeErrorInReport: true },
  );
});

test.run();
