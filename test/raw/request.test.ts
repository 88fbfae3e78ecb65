import fc from "fast-check";
import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import {
  KeyRange,
  KvPair,
  RawBatchGetRequest,
  RawBatchPutRequest,
  RawBatchScanRequest,
  RawCASRequest,
  RawChecksumRequest,
  RawGetKeyTTLRequest,
  RawGetRequest,
  RawPutRequest,
  RawScanRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import {
  commandsSize,
  measureCommands,
  readCommands,
  writeCommands,
} from "../../engine/raw/codec.ts";
import { evaluate, type RawMode, type RawResult } from "../../engine/raw/command.ts";
import {
  answerRead,
  commandsOf,
  type RawRead,
  type RawWrite,
  strayKey,
} from "../../engine/raw/request.ts";
import { emptyMemtable } from "../../engine/storage/lsm/memtable/memtable.ts";
import { NO_TABLES, stackOf } from "../../engine/storage/lsm/reading/stack.ts";
import { Workspace } from "../../engine/storage/lsm/workspace.ts";
import { suite } from "../harness.ts";

const test = suite("raw");
const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const text = (value: Uint8Array): string => String.fromCharCode(...value);
const EVERYWHERE = { start: "" as Key, end: "" as Key };

/** A store's raw data and its clock. */
class Data {
  readonly workspace = new Workspace(stackOf(emptyMemtable()), NO_TABLES);
  readonly mode: RawMode;
  nowSeconds = 1000;

  constructor(ttlEnabled = false) {
    this.mode = { ttlEnabled };
  }

  /** The results of `call`, whose commands go through the log's codec first; or its error. */
  write(call: RawWrite): readonly RawResult[] | string {
    const translated = commandsOf(call, this.mode, this.nowSeconds);
    if (!translated.ok) return (translated.reply.response as { error: string }).error;
    const sizes = measureCommands(translated.commands);
    const log = new Uint8Array(commandsSize(sizes));
    writeCommands(translated.commands, sizes, log, 0);
    return readCommands(log, 0).map((command) =>
      evaluate(command, this.workspace, this.mode, this.nowSeconds),
    );
  }

  read<M extends RawRead["method"]>(call: Extract<RawRead, { method: M }>): unknown {
    const view = { data: this.workspace.snapshot(), mode: this.mode, nowSeconds: this.nowSeconds };
    return answerRead(call, view, EVERYWHERE).response;
  }

  put(key: string, value: string, ttl = 0): readonly RawResult[] | string {
    const request = RawPutRequest.make({ key: key as Key, value: bytes(value), ttl });
    return this.write({ method: "RawPut", request });
  }

  get(key: string): string | undefined {
    const request = RawGetRequest.make({ key: key as Key });
    const response = this.read<"RawGet">({ method: "RawGet", request }) as {
      notFound: boolean;
      value: Uint8Array;
    };
    return response.notFound ? undefined : text(response.value);
  }

  scan(request: Partial<RawScanRequest>): readonly string[] {
    const call = { method: "RawScan", request: RawScanRequest.make({ limit: 100, ...request }) };
    const { kvs } = this.read<"RawScan">(call as Extract<RawRead, { method: "RawScan" }>) as {
      kvs: readonly KvPair[];
    };
    return kvs.map(({ key }) => key);
  }
}

function letters(...keys: readonly string[]): Data {
  const data = new Data();
  for (const key of keys) data.put(key, `value of ${key}`);
  return data;
}

test("a forward scan holds its start and not its end", () => {
  const data = letters("a", "b", "c", "d");
  assert.equal(data.scan({ startKey: "b" as Key, endKey: "d" as Key }), ["b", "c"]);
  assert.equal(data.scan({ startKey: "b" as Key, limit: 2 }), ["b", "c"]);
});

test("a reverse scan starts below its start key and ends at its end key", () => {
  const data = letters("a", "b", "c", "d");
  const range = { startKey: "d" as Key, endKey: "b" as Key, reverse: true };
  assert.equal(data.scan(range), ["c", "b"]);
  assert.equal(data.scan({ reverse: true, limit: 2 }), ["d", "c"]);
});

test("a batch scan without an end goes on to the start of the next range", () => {
  const data = letters("a", "b", "c", "d");
  const ranges = [KeyRange.make({ startKey: "a" as Key }), KeyRange.make({ startKey: "c" as Key })];
  const request = RawBatchScanRequest.make({ ranges, eachLimit: 5 });
  const { kvs } = data.read<"RawBatchScan">({ method: "RawBatchScan", request }) as {
    kvs: readonly KvPair[];
  };
  assert.equal(
    kvs.map(({ key }) => key),
    ["a", "b", "c", "d"],
  );
});

test("a batch scan whose range runs the wrong way is refused by name", () => {
  const ranges = [KeyRange.make({ startKey: "d" as Key, endKey: "a" as Key })];
  const request = RawBatchScanRequest.make({ ranges, eachLimit: 5 });
  const { kvs } = letters("a").read<"RawBatchScan">({ method: "RawBatchScan", request }) as {
    kvs: readonly KvPair[];
  };
  assert.is(kvs[0]?.error?.abort, "Invalid KeyRange");
});

test("a batch get leaves out what is missing and answers in the order of keys", () => {
  const request = RawBatchGetRequest.make({ keys: ["c", "x", "a"] as Key[] });
  const { pairs } = letters("a", "b", "c").read<"RawBatchGet">({
    method: "RawBatchGet",
    request,
  }) as { pairs: readonly KvPair[] };
  assert.equal(
    pairs.map(({ key }) => key),
    ["a", "c"],
  );
});

test("a value lives until its second has come, for every way of reading", () => {
  const data = new Data(true);
  data.put("a", "1", 10);
  data.put("b", "2");
  data.nowSeconds += 9;
  assert.is(data.get("a"), "1");
  data.nowSeconds += 1;
  assert.is(data.get("a"), undefined);
  assert.equal(data.scan({}), ["b"]);
  const swap = RawCASRequest.make({
    key: "a" as Key,
    previousNotExist: true,
    value: bytes("3"),
    ttl: 5,
  });
  assert.equal(data.write({ method: "RawCompareAndSwap", request: swap }), [
    { succeeded: true, previous: undefined },
  ]);
  const ttl = RawGetKeyTTLRequest.make({ key: "a" as Key });
  assert.is(
    (data.read<"RawGetKeyTTL">({ method: "RawGetKeyTTL", request: ttl }) as { ttl: number }).ttl,
    5,
  );
});

test("a time to live is refused where the store keeps none", () => {
  assert.is(new Data().put("a", "1", 10), "ttl is not enabled, but get put request with ttl");
});

test("times to live of a batch are none, one for all, or one each", () => {
  const pairs = ["a", "b", "c"].map((key) => KvPair.make({ key: key as Key, value: bytes("1") }));
  const put = (ttls: readonly number[]): readonly RawResult[] | string =>
    new Data(true).write({
      method: "RawBatchPut",
      request: RawBatchPutRequest.make({ pairs, ttls }),
    });
  assert.is(put([]).length, 3);
  assert.is(put([7]).length, 3);
  assert.is(put([1, 2, 3]).length, 3);
  assert.type(put([1, 2]), "string");
});

test("a compare-and-swap that can delete removes what it expected to find", () => {
  const data = letters("a");
  const request = RawCASRequest.make({
    key: "a" as Key,
    previousValue: bytes("value of a"),
    delete: true,
  });
  data.write({ method: "RawCompareAndSwap", request });
  assert.is(data.get("a"), undefined);
});

test("an unknown column family is refused by name", () => {
  const request = RawPutRequest.make({ key: "a" as Key, cf: "nope" });
  assert.is(new Data().write({ method: "RawPut", request }), "invalid cf name: nope");
});

test("column families do not see each other", () => {
  const data = new Data();
  const request = RawPutRequest.make({ key: "a" as Key, value: bytes("w"), cf: "write" });
  data.write({ method: "RawPut", request });
  assert.is(data.get("a"), undefined);
});

test("a checksum is the same in whatever ranges it is taken", () => {
  const data = letters("a", "b", "c", "d");
  const sum = (...cuts: readonly string[]): unknown => {
    const ranges = cuts.map((startKey, i) =>
      KeyRange.make({ startKey: startKey as Key, endKey: (cuts[i + 1] ?? "") as Key }),
    );
    return data.read<"RawChecksum">({
      method: "RawChecksum",
      request: RawChecksumRequest.make({ ranges }),
    });
  };
  assert.equal(sum(""), sum("", "b", "d"));
});

test("only keys of the region pass, and an end may be the region's own", () => {
  const bounds = { start: "b" as Key, end: "d" as Key };
  const get = (key: string): RawRead => ({
    method: "RawGet",
    request: RawGetRequest.make({ key: key as Key }),
  });
  assert.is(strayKey(get("b"), bounds), undefined);
  assert.is(strayKey(get("a"), bounds), "a");
  assert.is(strayKey(get("d"), bounds), "d");
  const scan = RawScanRequest.make({ startKey: "d" as Key, reverse: true });
  assert.is(strayKey({ method: "RawScan", request: scan }, bounds), undefined);
});

test("any writes leave what a map would hold", () => {
  const key = fc.constantFrom("a", "b", "c", "d", "e");
  const value = fc.constantFrom("1", "2", "3");
  const step = fc.oneof(
    fc.record({ type: fc.constant("put" as const), key, value, ttl: fc.nat({ max: 3 }) }),
    fc.record({ type: fc.constant("swap" as const), key, value, expected: value }),
    fc.record({ type: fc.constant("wait" as const), seconds: fc.nat({ max: 2 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const data = new Data(true);
      const model = new Map<string, { value: string; until: number }>();
      const seen = (name: string): string | undefined => {
        const found = model.get(name);
        return found !== undefined && found.until > data.nowSeconds ? found.value : undefined;
      };
      for (const one of steps) {
        if (one.type === "wait") {
          data.nowSeconds += one.seconds;
        } else if (one.type === "put") {
          data.put(one.key, one.value, one.ttl);
          const until = one.ttl === 0 ? Infinity : data.nowSeconds + one.ttl;
          model.set(one.key, { value: one.value, until });
        } else {
          const request = RawCASRequest.make({
            key: one.key as Key,
            value: bytes(one.value),
            previousValue: bytes(one.expected),
          });
          data.write({ method: "RawCompareAndSwap", request });
          if (seen(one.key) === one.expected) {
            model.set(one.key, { value: one.value, until: Infinity });
          }
        }
        for (const name of ["a", "b", "c", "d", "e"]) assert.is(data.get(name), seen(name));
      }
    }),
    { includeErrorInReport: true },
  );
});

test.run();
