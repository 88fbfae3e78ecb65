import { setImmediate as drain } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import type { LogIndex, Term } from "../../engine/base/ids.ts";
import type { Timestamp } from "../../engine/base/timestamp.ts";
import { encodeKey, versionKey } from "../../engine/mvcc/keys.ts";
import { UNKNOWN_CHANGE } from "../../engine/mvcc/record/last-change.ts";
import { encodeWrite, type Write } from "../../engine/mvcc/record/write.ts";
import { append, emptyLog } from "../../engine/raft/log.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import { encodeEntry } from "../../engine/region/command.ts";
import { calm } from "../../scenarios/calm.ts";
import { build, DEFAULT_OPTIONS } from "../../sim/build.ts";
import { checkAboveSafePoint, noteSafePoint } from "../../sim/checkers/safe-points.ts";
import { groupOf, memberOf } from "../../sim/checkers/group.ts";
import { suite } from "../harness.ts";

const test = suite("sim/checkers: safe points");

const POINT = 100n;

/** What the checker says where a record is committed at `commitTs` once the point has moved. */
function judged(commitTs: bigint, change: Partial<Write>): string {
  const { world } = build(calm, "1", drain, DEFAULT_OPTIONS);
  const machine = world.stores[0];
  assert.ok(machine !== undefined);
  noteSafePoint(world, POINT);
  noteSafePoint(world, POINT - 50n);
  const write: Write = {
    type: "put",
    startTs: 10n as Timestamp,
    shortValue: new Uint8Array([1]),
    overlappedRollback: false,
    gcFence: undefined,
    lastChange: UNKNOWN_CHANGE,
    txnSource: 0n,
    ...change,
  };
  const key = versionKey(encodeKey("k" as Key), commitTs as Timestamp);
  const value = encodeWrite(write);
  const operations = [{ type: "put", cf: "write", key, value }] as const;
  const data = encodeEntry({ type: "write", version: 1, operations }, world.wire);
  const entry = { index: 6 as LogIndex, term: 2 as Term, type: "normal", data } as const;
  const log = append(emptyLog(5 as LogIndex, 1 as Term), [entry]);
  const raft = { log, commit: 6 as LogIndex } as RaftState;
  const group = groupOf(world.checks.groups, 3);
  const member = memberOf(group, 4 as never, machine);
  checkAboveSafePoint(world, group, member, raft, 2);
  return world.checks.violation?.text ?? "none";
}

test("a change that is committed at or below the safe point is told", () => {
  const text =
    "peer 4 of region 3 on store 1 commits at 100 by entry 6, when the safe point is 100 already";
  assert.is(judged(POINT, {}), text);
  assert.is(judged(POINT, { type: "delete", shortValue: undefined }), text);
  assert.is(judged(POINT + 1n, {}), "none");
});

test("rollbacks, and what is put again for one, are no changes", () => {
  assert.is(judged(POINT, { type: "rollback", shortValue: undefined }), "none");
  assert.is(judged(POINT, { overlappedRollback: true }), "none");
});

test.run();
