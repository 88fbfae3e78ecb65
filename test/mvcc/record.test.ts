/** The records byte by byte. A change here is a change of what is on people's disks. */
import fc from "fast-check";
import * as assert from "uvu/assert";
import { type Key, hex } from "../../engine/base/bytes.ts";
import { Timestamp } from "../../engine/base/timestamp.ts";
import {
  decodeKey,
  encodeKey,
  keyOfVersion,
  timestampOfVersion,
  versionKey,
} from "../../engine/mvcc/keys.ts";
import { NO_CHANGE, UNKNOWN_CHANGE } from "../../engine/mvcc/record/last-change.ts";
import { type Lock, decodeLock, encodeLock } from "../../engine/mvcc/record/lock.ts";
import {
  type Write,
  decodeWrite,
  isRewritten,
  encodeWrite,
  rollbackWrite,
} from "../../engine/mvcc/record/write.ts";
import { suite } from "../harness.ts";

const test = suite("mvcc records");
const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const unhex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const at = (value: bigint | number): Timestamp => Timestamp(BigInt(value));

const PLAIN_LOCK: Lock = {
  type: "put",
  primary: "primary" as Key,
  startTs: at(5),
  ttlMs: 3000,
  shortValue: bytes("value"),
  forUpdateTs: at(0),
  txnSize: 0n,
  minCommitTs: at(0),
  secondaries: undefined,
  rollbackTs: [],
  lastChange: UNKNOWN_CHANGE,
  txnSource: 0n,
  lockedWithConflict: false,
  generation: 0,
};

const FULL_LOCK: Lock = {
  type: "lock",
  primary: "p" as Key,
  startTs: at((1n << 64n) - 1n),
  ttlMs: 0,
  shortValue: bytes("v"),
  forUpdateTs: at(0x0102),
  txnSize: 16n,
  minCommitTs: at(0x0304),
  secondaries: ["k1" as Key, "k2" as Key],
  rollbackTs: [at(7), at(8)],
  lastChange: { type: "at", commitTs: at(4), versions: 2 },
  txnSource: 0x85n,
  lockedWithConflict: true,
  generation: 3,
};

const PLAIN_WRITE: Write = {
  type: "put",
  startTs: at(5),
  shortValue: bytes("value"),
  overlappedRollback: false,
  gcFence: undefined,
  lastChange: UNKNOWN_CHANGE,
  txnSource: 0n,
};

test("a version is its key in groups of eight, then its timestamp turned upside down", () => {
  const stored = versionKey(encodeKey("key" as Key), at(5));
  assert.is(hex(stored), "6b65790000000000fafffffffffffffffa");
  assert.is(keyOfVersion(stored), encodeKey("key" as Key));
  assert.is(timestampOfVersion(stored), 5n);
});

test("the golden locks", () => {
  // type P, length 7 doubled, primary, start 5, ttl 3000, v and 5 bytes
  assert.is(hex(encodeLock(PLAIN_LOCK)), "500e7072696d61727905b817760576616c7565");
  const full = [
    "4c0270", // type L, primary of 1
    "ffffffffffffffffff01", // start
    "00", // ttl
    "760176", // v
    "660000000000000102", // f
    "740000000000000010", // t
    "630000000000000304", // c
    "6102046b31046b32", // a
    "720200000000000000070000000000000008", // r
    "6c000000000000000402", // l
    "738501", // s
    "46", // F
    "670000000000000003", // g
  ];
  assert.is(hex(encodeLock(FULL_LOCK)), full.join(""));
  assert.equal(decodeLock(unhex(full.join(""))), { ok: true, lock: FULL_LOCK });
});

test("the golden writes", () => {
  assert.is(hex(encodeWrite(PLAIN_WRITE)), "5005760576616c7565");
  assert.is(hex(encodeWrite(rollbackWrite(at(300), true))), "52ac02760170");
  assert.is(hex(encodeWrite(rollbackWrite(at(300), false))), "52ac02");
  const full: Write = {
    ...PLAIN_WRITE,
    type: "lock",
    shortValue: undefined,
    overlappedRollback: true,
    gcFence: at(0),
    lastChange: NO_CHANGE,
    txnSource: 1n,
  };
  assert.is(
    hex(encodeWrite(full)),
    ["4c05", "52", "460000000000000000", "6c000000000000000001", "5301"].join(""),
  );
  assert.equal(decodeWrite(encodeWrite(full)), { ok: true, write: full });
});

/** Records whose prototype is that of every other object. */
const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });

const timestamps = fc.oneof(
  fc.bigInt({ min: 0n, max: 200n }),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);
const anyTs = timestamps.map((value) => Timestamp(value));
const anyKey = fc.string({ unit: fc.nat(255).map((c) => String.fromCharCode(c)), maxLength: 20 });
const anyKeys = anyKey.map((key) => key as Key);
const anyShort = fc.option(fc.uint8Array({ maxLength: 255 }), { nil: undefined });
const anyChange = fc.oneof(
  fc.constant(UNKNOWN_CHANGE),
  fc.constant(NO_CHANGE),
  plain({
    type: fc.constant("at" as const),
    commitTs: anyTs.filter((ts) => ts > 0n),
    versions: fc.integer({ min: 1, max: 1000 }),
  }),
);
const anyLock: fc.Arbitrary<Lock> = plain({
  type: fc.constantFrom("put", "delete", "lock", "pessimistic"),
  primary: anyKeys,
  startTs: anyTs,
  ttlMs: fc.maxSafeNat(),
  shortValue: anyShort,
  forUpdateTs: anyTs,
  txnSize: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  minCommitTs: anyTs,
  secondaries: fc.option(fc.array(anyKeys, { maxLength: 4 }), { nil: undefined }),
  rollbackTs: fc.array(anyTs, { maxLength: 3 }),
  lastChange: anyChange,
  txnSource: timestamps,
  lockedWithConflict: fc.boolean(),
  generation: fc.maxSafeNat(),
});
const anyWrite: fc.Arbitrary<Write> = plain({
  type: fc.constantFrom("put", "delete", "lock", "rollback"),
  startTs: anyTs,
  shortValue: anyShort,
  overlappedRollback: fc.boolean(),
  gcFence: fc.option(anyTs, { nil: undefined }),
  lastChange: anyChange,
  txnSource: timestamps,
});

test("what is encoded is decoded as it was", () => {
  fc.assert(
    fc.property(anyLock, anyWrite, anyKeys, (lock, write, key) => {
      assert.equal(decodeLock(encodeLock(lock)), { ok: true, lock });
      assert.equal(decodeWrite(encodeWrite(write)), { ok: true, write });
      const rewritten = write.overlappedRollback || write.gcFence !== undefined;
      assert.is(isRewritten(encodeWrite(write)), rewritten);
      assert.is(decodeKey(encodeKey(key)), key);
    }),
    { includeErrorInReport: true, numRuns: 300 },
  );
});

test("bytes that are no record are a value that says where, and never an exception", () => {
  fc.assert(
    fc.property(anyLock, anyWrite, fc.nat(), fc.nat(255), (lock, write, place, byte) => {
      for (const [record, decode] of [
        [encodeLock(lock), decodeLock],
        [encodeWrite(write), decodeWrite],
      ] as const) {
        const cut = place % record.length;
        const short = decode(record.subarray(0, cut));
        assert.ok(short.ok || short.offset <= cut);
        const changed = record.slice();
        changed[cut] = byte;
        const wrong = decode(changed);
        assert.ok(wrong.ok || wrong.offset <= record.length);
      }
    }),
    { includeErrorInReport: true, numRuns: 300 },
  );
});

test("a field of a later version is refused by name, and one out of order is damage", () => {
  const lock = encodeLock(PLAIN_LOCK);
  const with_ = (record: Uint8Array, more: string): Uint8Array => unhex(hex(record) + more);
  const end = lock.length;
  assert.equal(decodeLock(with_(lock, "7a")), { ok: false, reason: "unknown_field", offset: end });
  assert.equal(decodeLock(with_(lock, "7600")), { ok: false, reason: "corrupt", offset: end });
  const write = encodeWrite({ ...PLAIN_WRITE, overlappedRollback: true });
  assert.equal(decodeWrite(with_(write, "7a")), {
    ok: false,
    reason: "unknown_field",
    offset: write.length,
  });
  assert.equal(decodeWrite(with_(write, "7600")), {
    ok: false,
    reason: "corrupt",
    offset: write.length,
  });
  assert.equal(decodeLock(unhex("48")), { ok: false, reason: "corrupt", offset: 0 });
  assert.equal(decodeWrite(unhex("")), { ok: false, reason: "corrupt", offset: 0 });
});

test("an integer that has a shorter form, or more than 64 bits, is damage", () => {
  const start = (varint: string): string => `52${varint}`;
  assert.equal(decodeWrite(unhex(start("8000"))), { ok: false, reason: "corrupt", offset: 2 });
  const tooLong = decodeWrite(unhex(start("ffffffffffffffffff02")));
  assert.equal(tooLong, { ok: false, reason: "corrupt", offset: 10 });
  const greatest = decodeWrite(unhex(start("ffffffffffffffffff01")));
  assert.ok(greatest.ok && greatest.write.startTs === (1n << 64n) - 1n);
});

test.run();
