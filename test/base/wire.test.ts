import fc from "fast-check";
import * as assert from "uvu/assert";
import { AssertionError } from "../../engine/base/assert.ts";
import { hex } from "../../engine/base/bytes.ts";
import * as wire from "../../engine/base/wire.ts";
import { suite } from "../harness.ts";

const test = suite("wire");

const { encode, decode, decodeWith } = wire.createWire();

const { value: anyWireData } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.bigInt({ min: 2n ** 63n, max: 2n ** 64n - 1n }),
    fc.string(),
    fc.uint8Array(),
    fc.array(tie("value")),
  ),
}));

test("wire data comes back as it was, numbers as numbers and bigints as bigints", () => {
  fc.assert(
    fc.property(anyWireData, (value) => {
      assert.equal(decode(encode(value)), { ok: true, value });
    }),
    { includeErrorInReport: true },
  );
});

test("the bytes of a message are what they always were", () => {
  const message = [1, 300, 2 ** 40, 5n, "é", true, undefined, new Uint8Array([9, 8]), { a: [] }];
  assert.is(
    hex(encode(message)),
    "9901cd012ccb4270000000000000cf0000000000000005a2c3a9c3c0c402090881a16190",
  );
});

test("encoded bytes are fresh: the next message does not change them", () => {
  const first = encode([1, 2, 3]);
  encode([4, 5, 6]);
  assert.equal(decode(first), { ok: true, value: [1, 2, 3] });
});

test("no bytes make the decoder throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const result = decode(bytes);
      assert.ok(result.ok || result.reason.length > 0);
    }),
    { includeErrorInReport: true, numRuns: 1000 },
  );
});

test("a cut or lengthened message is refused, and the codec goes on working", () => {
  const bytes = encode(["hello", 7, new Uint8Array(40)]);
  for (let length = 0; length < bytes.length; length++) {
    assert.not(decode(bytes.subarray(0, length)).ok);
  }
  assert.not(decode(new Uint8Array([...bytes, 0])).ok);
  assert.ok(decode(bytes).ok);
});

test("extension types, time stamps among them, are refused", () => {
  assert.equal(decode(new Uint8Array([0xd6, 0xff, 0, 0, 0, 0])), {
    ok: false,
    reason: "not wire data: extension types are not part of the wire format",
  });
});

test("an array that claims billions of items is refused before it is reserved", () => {
  const result = decode(new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff]));
  assert.ok(!result.ok && /array length/.test(result.reason));
});

test("what is not wire data is a wrong program", () => {
  for (const value of [
    new Map(),
    new Set(),
    new Date(0),
    Buffer.from("x"),
    Object.create({ own: 1 }),
    [[/x/]],
  ]) {
    assert.throws(
      () => encode(value),
      (e: unknown) => e instanceof AssertionError,
    );
  }
});

test("decoded bytes are views of the input, plain ones even of a Buffer", () => {
  const input = Buffer.from(encode([new Uint8Array([1, 2, 3])]));
  const result = decodeWith(input, (value) =>
    wire.expectBytes(wire.expectTuple(value, 1, "t")[0], "b"),
  );
  assert.ok(result.ok);
  assert.is(result.value.buffer, input.buffer);
  assert.is(Object.getPrototypeOf(result.value), Uint8Array.prototype);
});

test("readers give what they name, and a reason for everything else", () => {
  const nil = null;
  const cases: [(value: unknown, what: string) => unknown, unknown[], unknown[]][] = [
    [wire.expectCount, [0, 2 ** 53 - 1], [-1, 0.5, 2 ** 53, 1n, "1", nil]],
    [wire.expectNumber, [-1, 0.5, Infinity], [Number.NaN, 1n, "1"]],
    [wire.expectBigint, [0n, -1n], [0, "0"]],
    [wire.expectBoolean, [true, false], [0, nil]],
    [wire.expectString, ["", "x"], [1, new Uint8Array(1)]],
    [wire.expectBytes, [new Uint8Array(1)], ["x", [1], nil]],
  ];
  for (const [read, good, bad] of cases) {
    for (const value of good) {
      assert.equal(
        decodeWith(encode(value), (v) => read(v, "field")),
        { ok: true, value },
      );
    }
    for (const value of bad) {
      const result = decodeWith(encode(value), (v) => read(v, "field"));
      assert.ok(!result.ok && result.reason.startsWith("field: not "), String(value));
    }
  }
});

test("readers of lists, choices, keys and optional fields compose", () => {
  const read = (value: unknown): unknown => {
    const [ids, kind, key, lease] = wire.expectTuple(value, 4, "message");
    return {
      ids: wire.expectList(ids, wire.expectCount, "ids"),
      kind: wire.expectChoice(kind, ["put", "delete"], "kind"),
      key: wire.expectKey(key, "key"),
      lease: wire.expectOptional(lease, wire.expectBigint, "lease"),
    };
  };
  const key = new Uint8Array([0x61, 0xff]);
  assert.equal(decodeWith(encode([[1, 2], "put", key, undefined]), read), {
    ok: true,
    value: { ids: [1, 2], kind: "put", key: "a\xff", lease: undefined },
  });
  const reasonOf = (value: unknown): string => {
    const result = decodeWith(encode(value), read);
    return result.ok ? "" : result.reason;
  };
  assert.is(reasonOf([[1], "put", key]), "message: not a tuple of 4");
  assert.is(reasonOf([[1, -2], "put", key, null]), "ids: not a count");
  assert.is(reasonOf([[], "get", key, null]), "kind: none of put, delete");
  assert.is(reasonOf([[], "put", "a", null]), "key: not bytes");
  assert.is(reasonOf([[], "put", key, 1]), "lease: not a bigint");
});

test("a wrong program inside a reader is not taken for bad bytes", () => {
  assert.throws(
    () => decodeWith(encode(1), () => assertNothing()),
    (e: unknown) => e instanceof AssertionError,
  );
});

function assertNothing(): never {
  throw new AssertionError("planted");
}

test.run();
