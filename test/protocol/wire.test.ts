import * as assert from "uvu/assert";
import { hex, Key, keyFromBytes } from "../../engine/base/bytes.ts";
import type { MessageCodec } from "../../engine/protocol/codec.ts";
import { HealthCheckRequest } from "../../engine/protocol/gen/health.ts";
import {
  BatchGetResponse,
  Context,
  GetRequest,
  KvPair,
  LockInfo,
  MvccInfo,
  Op,
  OpName,
  PessimisticLockRequest,
  RawGetRequest,
  PrewriteRequest,
  RawPutRequest,
  RawPutResponse,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import { Region, RegionEpoch } from "../../engine/protocol/gen/metapb.ts";
import {
  GetStoreRequest,
  QueryRegionResponse,
  RegionResponse,
  RequestHeader,
  SlowTrend,
  Timestamp,
  TsoResponse,
} from "../../engine/protocol/gen/pdpb.ts";
import { BatchCommandsRequest } from "../../engine/protocol/gen/tikvpb.ts";
import { suite } from "../harness.ts";

const test = suite("protocol/wire");

function value<T>(codec: MessageCodec<T>, bytes: Uint8Array | readonly number[]): T {
  const result = codec.decode(Uint8Array.from(bytes));
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

function refusal<T>(codec: MessageCodec<T>, bytes: readonly number[]): string {
  const result = codec.decode(Uint8Array.from(bytes));
  if (result.ok) throw new Error(`decoded ${hex(Uint8Array.from(bytes))}`);
  return result.reason;
}

const golden: readonly [title: string, bytes: Uint8Array, expected: string][] = [
  ["an empty message is no bytes", RawPutResponse.encode(RawPutResponse.make()), ""],
  [
    "a raw put is its key and its value",
    RawPutRequest.encode(
      RawPutRequest.make({ key: Key("k\xff"), value: Uint8Array.of(1, 2, 3), ttl: 300 }),
    ),
    ["12026bff", "1a03010203", "28ac02"].join(""),
  ],
  [
    "a region has its epoch nested",
    Region.encode(
      Region.make({ id: 2, endKey: Key("m"), regionEpoch: RegionEpoch.make({ version: 1 }) }),
    ),
    ["0802", "1a016d", "22021001"].join(""),
  ],
  [
    "a timestamp is two small integers",
    TsoResponse.encode(
      TsoResponse.make({ count: 3, timestamp: Timestamp.make({ physical: 2 ** 40, logical: 7 }) }),
    ),
    ["1003", "1a09", "08808080808020", "1007"].join(""),
  ],
  [
    "numbers in a list are packed",
    Context.encode(Context.make({ resolvedLocks: [1n, 2n ** 64n - 1n] })),
    ["6a0b", "01", "ffffffffffffffffff01"].join(""),
  ],
  [
    "a command of a batch carries its id beside it",
    BatchCommandsRequest.encode(
      BatchCommandsRequest.make({
        requests: [{ cmd: { case: "rawGet", value: RawGetRequest.make({ key: Key("a") }) } }],
        requestIds: [9],
      }),
    ),
    ["0a05", "6a03", "120161", "120109"].join(""),
  ],
  [
    "a chosen member is written even where it is the default",
    Context.encode(Context.make({ keyspace: { case: "keyspaceId", value: 0 } })),
    "800200",
  ],
  [
    "a map is its entries",
    QueryRegionResponse.encode(
      QueryRegionResponse.make({ regionsById: new Map([[5, RegionResponse.make()]]) }),
    ),
    ["2204", "0805", "1200"].join(""),
  ],
  [
    "a negative number takes ten bytes",
    PessimisticLockRequest.encode(PessimisticLockRequest.make({ waitTimeout: -1n })),
    "40ffffffffffffffffff01",
  ],
  [
    "the greatest number takes nine bytes",
    PessimisticLockRequest.encode(PessimisticLockRequest.make({ waitTimeout: (1n << 63n) - 1n })),
    "40ffffffffffffffff7f",
  ],
  [
    "the size of a transaction is any 64 bits, as clients that cannot tell it send all ones",
    PrewriteRequest.encode(PrewriteRequest.make({ txnSize: (1n << 64n) - 1n })),
    "40ffffffffffffffffff01",
  ],
  [
    "a double is eight bytes, the low one first",
    SlowTrend.encode(SlowTrend.make({ causeRate: 1.5 })),
    "11000000000000f83f",
  ],
];

for (const [title, bytes, expected] of golden) {
  test(title, () => assert.is(hex(bytes), expected));
}

test("64-bit integers keep every bit, and take no more bytes than they need", () => {
  for (let bits = 1; bits <= 64; bits++) {
    for (const version of [2n ** BigInt(bits) - 1n, 2n ** BigInt(bits - 1)]) {
      const request = GetRequest.make({ key: Key("beside"), version });
      const bytes = GetRequest.encode(request);
      assert.is(bytes.length, 8 + 1 + Math.ceil(bits / 7));
      assert.equal(value(GetRequest, bytes), request);
    }
  }
});

test("an id is exact up to 2^53 - 1 and refused above", () => {
  for (let bits = 1; bits <= 53; bits++) {
    const request = GetStoreRequest.make({ storeId: 2 ** bits - 1 });
    const bytes = GetStoreRequest.encode(request);
    assert.is(bytes.length, 1 + Math.ceil(bits / 7));
    assert.equal(value(GetStoreRequest, bytes), request);
  }
  // 2^53, as field 2.
  const above = [0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
  assert.match(refusal(GetStoreRequest, above), /2\^53 - 1/);
});

test("a signed number is refused where its magnitude is above 2^53 - 1", () => {
  const least = [0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
  assert.match(refusal(Timestamp, least), /2\^53 - 1/);
});

test("fields that are not known are skipped, of every wire type", () => {
  const parts = [
    [0xc0, 0x3e, 0xff, 0xff, 0x03], // field 1000, a varint
    [0xc1, 0x3e, 1, 2, 3, 4, 5, 6, 7, 8], // eight bytes
    [0xc2, 0x3e, 2, 0xaa, 0xbb], // length-delimited
    [0xc3, 0x3e, 0x0b, 0x08, 0x01, 0x0c, 0xc4, 0x3e], // a group in a group
    [0xc5, 0x3e, 1, 2, 3, 4], // four bytes
  ];
  const unknown = parts.flat();
  const bytes = [...unknown, 0x12, 1, 0x61, ...unknown];
  assert.is(value(RawGetRequest, bytes).key, "a");
});

test("a bool is true where any bit is set", () => {
  const high = [0x30, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
  assert.is(value(RawPutRequest, high).forCas, true);
  assert.is(value(RawPutRequest, [0x30, 0x80, 0x00]).forCas, false);
});

test("a known field with another wire type is skipped", () => {
  // Field 2 is a key; here it comes as a varint.
  assert.is(value(RawGetRequest, [0x10, 5, 0x1a, 1, 0x63]).cf, "c");
});

test("numbers of a list may come packed, apart, or both", () => {
  assert.equal(value(Context, [0x68, 1, 0x6a, 2, 2, 3, 0x68, 4]).resolvedLocks, [1n, 2n, 3n, 4n]);
});

test("where a singular field comes twice, the last one stands", () => {
  assert.is(value(RawGetRequest, [0x12, 1, 0x61, 0x12, 1, 0x62]).key, "b");
});

test("where two members of a oneof come, the last one stands", () => {
  const bytes = [0x80, 2, 7, 0xb2, 2, 0];
  assert.is(value(Context, bytes).keyspace?.case, "keyspaceIdentity");
});

test("an entry of a map that lacks its key or value has the default", () => {
  assert.equal(
    value(QueryRegionResponse, [0x22, 0]).regionsById,
    new Map([[0, RegionResponse.make()]]),
  );
});

test("what is wrong with bytes is said with its place", () => {
  const cases: readonly [readonly number[], string][] = [
    [[0x12, 5, 0x61], "a field is longer than the message at byte 2"],
    [[0x12], "a varint is cut off at byte 1"],
    [
      [0x28, ...Array.from({ length: 11 }, () => 0x80)],
      "a varint has more than ten bytes at byte 1",
    ],
    [[0x0a, 1, 0x12, 0], "a field runs past the end of its message at byte 4"],
    [[0x00, 1], "a field has the number 0 at byte 1"],
    [[0x16], "a field has no known wire type at byte 1"],
    [[0xc1, 0x3e, 1, 2], "a number is cut off at byte 2"],
    [[0xc3, 0x3e, 0xcc, 0x3e], "a group ends that is not open at byte 4"],
    [[0x22, 1, 0xff], "a string is not UTF-8 at byte 2"],
  ];
  for (const [bytes, reason] of cases) {
    assert.is(refusal(RawPutRequest, bytes), `kvrpcpb.RawPutRequest: ${reason}`);
  }
});

test("a nested message may not take bytes of the one around it", () => {
  // The header says two bytes, but its varint goes on into the third.
  const bytes = [0x0a, 2, 0x08, 0x80, 0x01];
  assert.match(refusal(GetStoreRequest, bytes), /runs past the end of its message/);
});

test("a lock within locks is refused before it exhausts the stack", () => {
  // Each level is a field that spans the rest, so a few bytes a level make it very deep.
  let bytes: number[] = [];
  while (bytes.length < 2000) bytes = [0x62, ...lengthOf(bytes.length), ...bytes];
  const result = LockInfo.decode(Uint8Array.from(bytes));
  assert.not.ok(result.ok);
  if (!result.ok) assert.match(result.reason, /nested too deeply/);
});

test("locks within locks are read as deep as a hundred", () => {
  let lock = LockInfo.make();
  for (let depth = 1; depth < 100; depth++) lock = LockInfo.make({ sharedLockInfos: [lock] });
  assert.equal(value(LockInfo, LockInfo.encode(lock)), lock);
});

test("decoded bytes are views of the input, plain arrays whatever the input was; keys are copies", () => {
  const bytes = Buffer.from(
    RawPutRequest.encode(RawPutRequest.make({ key: Key("k"), value: Uint8Array.of(7) })),
  );
  const result = RawPutRequest.decode(bytes);
  if (!result.ok) throw new Error(result.reason);
  assert.is(Object.getPrototypeOf(result.value.value), Uint8Array.prototype);
  bytes.fill(0x7a);
  assert.equal(result.value.value, Uint8Array.of(0x7a));
  assert.is(result.value.key, "k");
});

test("strings are UTF-8 and malformed ones are refused", () => {
  const texts = ["", "plain", "é", "鍵", "🗝", "mixed é鍵🗝 end"];
  for (const service of texts) {
    const request = HealthCheckRequest.make({ service });
    const bytes = HealthCheckRequest.encode(request);
    assert.equal([...bytes.subarray(service === "" ? 0 : 2)], [...Buffer.from(service)]);
    assert.equal(value(HealthCheckRequest, bytes), request);
  }
  const malformed = [
    [0x80], // a continuation alone
    [0xc0, 0x80], // longer than needed
    [0xe0, 0x80, 0x80],
    [0xf0, 0x80, 0x80, 0x80],
    [0xed, 0xa0, 0x80], // half a surrogate pair
    [0xf4, 0x90, 0x80, 0x80], // above U+10FFFF
    [0xc3], // cut off
    [0xe2, 0x28, 0xa1],
  ];
  for (const text of malformed) {
    assert.match(refusal(HealthCheckRequest, [0x0a, text.length, ...text]), /not UTF-8/);
  }
});

test("half a surrogate pair is written as the replacement character", () => {
  const bytes = HealthCheckRequest.encode(HealthCheckRequest.make({ service: "a\ud83db" }));
  assert.is(value(HealthCheckRequest, bytes).service, "a\ufffdb");
});

test("keys of every length and byte come back", () => {
  for (let length = 0; length < 200; length++) {
    const key = keyFromBytes(Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 0xff));
    assert.is(value(RawGetRequest, RawGetRequest.encode(RawGetRequest.make({ key }))).key, key);
  }
});

test("a message larger than any first buffer is written whole", () => {
  const pairs = Array.from({ length: 2000 }, (_, i) =>
    KvPair.make({ key: Key(String(i)), value: new Uint8Array(100).fill(i) }),
  );
  const message = BatchGetResponse.make({ pairs });
  assert.equal(value(BatchGetResponse, BatchGetResponse.encode(message)), message);
});

test("enums are open: what is not listed comes through, and is named by its number", () => {
  const lock = LockInfo.make({ lockType: 77 });
  assert.is(value(LockInfo, LockInfo.encode(lock)).lockType, 77);
  assert.is(OpName(77), "77");
  assert.is(OpName(Op.Rollback), "Rollback");
});

test("a message made of nothing has every field", () => {
  assert.equal(MvccInfo.make(), { lock: undefined, writes: [], values: [] });
  assert.equal(RequestHeader.make({ clusterId: 3n }), {
    clusterId: 3n,
    senderId: 0,
    callerId: "",
    callerComponent: "",
  });
});

function lengthOf(length: number): number[] {
  return length < 0x80 ? [length] : [(length & 0x7f) | 0x80, ...lengthOf(length >>> 7)];
}

test.run();
