import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import { MAX_TIMESTAMP, Timestamp } from "../../engine/base/timestamp.ts";
import type { MemoryLock } from "../../engine/mvcc/evaluation.ts";
import { encodeKey } from "../../engine/mvcc/keys.ts";
import { snapshotOf } from "../../engine/mvcc/read/snapshot.ts";
import { UNKNOWN_CHANGE } from "../../engine/mvcc/record/last-change.ts";
import { Context } from "../../engine/protocol/gen/kvrpcpb.ts";
import {
  type Concurrency,
  conflictWith,
  forget,
  noConcurrency,
  raise,
  show,
} from "../../engine/transaction/concurrency.ts";
import { suite } from "../harness.ts";

const test = suite("transaction: concurrency");

const user = (key: string): Key => key as Key;
const at = (timestamp: number): Timestamp => Timestamp(BigInt(timestamp));

function lockOn(key: string, startTs: number, minCommitTs: number, onePhase = false): MemoryLock {
  return {
    key: encodeKey(user(key)),
    onePhase,
    lock: {
      type: "put",
      primary: user("a"),
      startTs: at(startTs),
      ttlMs: 1000,
      shortValue: new Uint8Array(1),
      forUpdateTs: at(0),
      txnSize: 1n,
      minCommitTs: at(minCommitTs),
      secondaries: [],
      rollbackTs: [],
      lastChange: UNKNOWN_CHANGE,
      txnSource: 0n,
      lockedWithConflict: false,
      generation: 0,
    },
  };
}

/** What a read of `keys` at `version` meets: the start of a lock, or nothing. */
function meets(
  concurrency: Concurrency,
  keys: readonly string[],
  version: bigint,
  context: Partial<Context> = {},
): bigint | undefined {
  const footprint = { type: "keys", keys: keys.map((key) => encodeKey(user(key))) } as const;
  const snapshot = snapshotOf(Context.make(context), version);
  const refusal = conflictWith(concurrency, snapshot, footprint);
  return refusal?.type === "locked" ? refusal.info.lockVersion : undefined;
}

test("the greatest read timestamp never falls", () => {
  let concurrency = raise(noConcurrency(), at(5));
  concurrency = raise(concurrency, at(3));
  assert.is(concurrency.maxTs, 5n);
  assert.is(raise(concurrency, at(5)), concurrency);
});

test("a read at or above the least commit timestamp is stopped, one below is not", () => {
  const concurrency = show(noConcurrency(), [lockOn("b", 10, 20)]);
  assert.is(meets(concurrency, ["b"], 19n), undefined);
  assert.is(meets(concurrency, ["b"], 20n), 10n);
  assert.is(meets(concurrency, ["a", "c"], 20n), undefined);
  assert.is(meets(concurrency, ["a", "b"], 25n), 10n);
  assert.is(meets(concurrency, ["b"], 25n, { resolvedLocks: [10n] }), undefined);
});

test("not even a read of the newest data may pass one that commits at this moment", () => {
  const concurrency = show(noConcurrency(), [lockOn("a", 10, 20, true)]);
  assert.is(meets(concurrency, ["a"], MAX_TIMESTAMP), 10n);
});

test("a scan is stopped by the locks within its range alone", () => {
  const concurrency = show(noConcurrency(), [lockOn("b", 10, 20), lockOn("d", 11, 20)]);
  const scan = (start: string, end: string): unknown => {
    const range = {
      start: encodeKey(user(start)),
      end: end === "" ? ("" as Key) : encodeKey(user(end)),
    };
    return conflictWith(concurrency, snapshotOf(undefined, 30n), { type: "range", range })?.type;
  };
  assert.equal(
    [scan("a", "b"), scan("a", "c"), scan("c", "d"), scan("c", ""), scan("e", "")],
    [undefined, "locked", undefined, "locked", undefined],
  );
});

test("a lock that the data show is forgotten here", () => {
  const locks = [lockOn("b", 10, 20)];
  const concurrency = forget(show(noConcurrency(), locks), locks);
  assert.is(meets(concurrency, ["b"], 25n), undefined);
  assert.is(concurrency.locks.size, 0);
});

test.run();
