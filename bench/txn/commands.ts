/**
 * Transactional commands on a state in memory: an account each key, as the bank workload has them.
 * Every round evaluates commands of its own on one view of a state that holds what they look for;
 * what comes of them is not applied, so all rounds are alike.
 */
import { EMPTY_KEY, Key } from "../../engine/base/bytes.ts";
import { Timestamp } from "../../engine/base/timestamp.ts";
import {
  answerRead,
  evaluateWrite,
  type MvccRead,
  type MvccWrite,
  partOf,
} from "../../engine/mvcc/calls.ts";
import {
  BatchGetRequest,
  BatchRollbackRequest,
  CheckTxnStatusRequest,
  CommitRequest,
  GetRequest,
  Mutation,
  Op,
  PessimisticLockRequest,
  PrewriteRequest,
  ScanRequest,
  TxnHeartBeatRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import { emptyMemtable } from "../../engine/storage/lsm/memtable/memtable.ts";
import { NO_TABLES, stackOf } from "../../engine/storage/lsm/reading/stack.ts";
import { Workspace } from "../../engine/storage/lsm/workspace.ts";
import type { KvView } from "../../engine/storage/view.ts";
import type { Contestant } from "../measure.ts";

/** Commands a round: enough to make little of what a collection of all garbage leaves cold. */
const COMMANDS = 30_000;
/** Of those that read many keys. */
const LONG_COMMANDS = 3000;
/** Most transfers under way. */
const TRANSFERS = 40_000;
const VALUE = new Uint8Array(64).fill(1);
const BOUNDS = { start: EMPTY_KEY, end: EMPTY_KEY };
const LOADED_AT = 1n << 18n;
const COMMITTED_AT = 2n << 18n;
const LOCKED_AT = 3n << 18n;
const NOW = 4n << 18n;
const LOCK_TTL_MS = 3_600_000;
const SCANNED = 100;
const BATCH = 16;

/** The state, and how commands find keys in it. */
interface Bank {
  /** Every account has a committed balance, and nobody is at work on it. */
  readonly calm: KvView;
  /** Transfer `i` has prewritten the two accounts that it moves between. */
  readonly busy: KvView;
  readonly transfers: number;
  /** Account `i`, in an order that hops. */
  readonly account: (i: number) => Key;
}

/** One contestant a command, on a bank with this many accounts. */
export function contestants(keys: number): readonly Contestant[] {
  const { calm, busy, transfers, account } = open(keys);
  const pair = (i: number): readonly Key[] => [account(2 * i), account(2 * i + 1)];
  const writes: readonly (readonly [string, KvView, (i: number) => MvccWrite])[] = [
    ["prewrite of two keys", calm, (i) => prewriteOf(pair(i), LOCKED_AT + BigInt(i), {})],
    [
      "the same, async commit",
      calm,
      (i) => prewriteOf(pair(i), LOCKED_AT + BigInt(i), ASYNC(pair(i))),
    ],
    ["the same, one phase", calm, (i) => prewriteOf(pair(i), LOCKED_AT + BigInt(i), ONE_PHASE)],
    ["commit of two keys", busy, (i) => commitOf(pair(i), i)],
    ["rollback of two keys", busy, (i) => rollbackOf(pair(i), i)],
    ["pessimistic lock of a key", calm, (i) => lockOf(account(i), i)],
    ["check of a live transaction", busy, (i) => statusOf(account(2 * i), i)],
    ["heartbeat", busy, (i) => heartbeatOf(account(2 * i), i)],
  ];
  const reads: readonly (readonly [string, (i: number) => MvccRead])[] = [
    [
      "get",
      (i) => ({ method: "KvGet", request: GetRequest.make({ key: account(i), version: NOW }) }),
    ],
    [
      `batch get of ${BATCH}`,
      (i) => batchGetOf(Array.from({ length: BATCH }, (_, k) => account(i + k))),
    ],
    [`scan of ${SCANNED}`, (i) => scanOf(account(i))],
  ];
  return [
    ...writes.map(([name, view, call]) =>
      contestant(name, COMMANDS, transfers, call, (one) => write(view, one)),
    ),
    ...reads.map(([name, call]) => {
      const count = name === "get" ? COMMANDS : LONG_COMMANDS;
      return contestant(name, count, transfers, call, (one) => answerRead(calm, one, BOUNDS));
    }),
  ];
}

function contestant<Call>(
  name: string,
  count: number,
  transfers: number,
  call: (i: number) => Call,
  evaluate: (call: Call) => unknown,
): Contestant {
  let made = 0;
  return {
    name,
    prepare: () => {
      // Decoding is not what is measured.
      const calls = Array.from({ length: count }, (_, i) => call((made + i) % transfers));
      made += count;
      return () => {
        let result: unknown;
        for (const one of calls) result = evaluate(one);
        return { operations: count, result };
      };
    },
  };
}

function write(view: KvView, call: MvccWrite): unknown {
  const part = partOf(view, call, BOUNDS, EMPTY_KEY);
  const surroundings = { bounds: BOUNDS, maxTs: Timestamp(NOW) };
  const { operations } = evaluateWrite(view, call, part, surroundings);
  if (operations.length === 0 && !EXPECTED_EMPTY.has(call.method)) {
    throw new Error(`a ${call.method} was refused`);
  }
  return operations;
}

/** A look at a live transaction, or a word of one that has time enough, changes nothing. */
const EXPECTED_EMPTY: ReadonlySet<string> = new Set(["KvCheckTxnStatus", "KvTxnHeartBeat"]);

function open(keys: number): Bank {
  // A step that has no factor in common with the count visits every account.
  let step = Math.ceil(keys * 0.618);
  while (commonFactor(step, keys) > 1) step += 1;
  const account = (i: number): Key => Key(`account/${String((i * step) % keys).padStart(10, "0")}`);
  const workspace = new Workspace(stackOf(emptyMemtable()), NO_TABLES);
  const apply = (call: MvccWrite): void => {
    const view = workspace.snapshot();
    const part = partOf(view, call, BOUNDS, EMPTY_KEY);
    const surroundings = { bounds: BOUNDS, maxTs: Timestamp(LOADED_AT) };
    for (const operation of evaluateWrite(view, call, part, surroundings).operations) {
      workspace.perform(operation);
    }
  };
  for (let i = 0; i < keys; i += 100) {
    const some = Array.from({ length: Math.min(100, keys - i) }, (_, k) =>
      Key(`account/${String(i + k).padStart(10, "0")}`),
    );
    apply(prewriteOf(some, LOADED_AT, {}));
    apply({
      method: "KvCommit",
      request: CommitRequest.make({
        keys: some,
        startVersion: LOADED_AT,
        commitVersion: COMMITTED_AT,
      }),
    });
  }
  const calm = workspace.snapshot();
  const transfers = Math.min(TRANSFERS, Math.floor(keys / 2));
  for (let i = 0; i < transfers; i++) {
    apply(prewriteOf([account(2 * i), account(2 * i + 1)], LOCKED_AT + BigInt(i), {}));
  }
  return { calm, busy: workspace.snapshot(), transfers, account };
}

const commonFactor = (a: number, b: number): number => (b === 0 ? a : commonFactor(b, a % b));

type Mode = Partial<Pick<PrewriteRequest, "useAsyncCommit" | "secondaries" | "tryOnePc">>;

const ONE_PHASE: Mode = { tryOnePc: true };
const ASYNC = ([, ...secondaries]: readonly Key[]): Mode => ({ useAsyncCommit: true, secondaries });

const prewriteOf = (keys: readonly Key[], startVersion: bigint, mode: Mode): MvccWrite => ({
  method: "KvPrewrite",
  request: PrewriteRequest.make({
    mutations: keys.map((key) => Mutation.make({ op: Op.Put, key, value: VALUE })),
    primaryLock: keys[0] ?? EMPTY_KEY,
    startVersion,
    lockTtl: LOCK_TTL_MS,
    txnSize: BigInt(keys.length),
    ...mode,
  }),
});

const commitOf = (keys: readonly Key[], i: number): MvccWrite => ({
  method: "KvCommit",
  request: CommitRequest.make({
    keys,
    startVersion: LOCKED_AT + BigInt(i),
    commitVersion: NOW + BigInt(i),
  }),
});

const rollbackOf = (keys: readonly Key[], i: number): MvccWrite => ({
  method: "KvBatchRollback",
  request: BatchRollbackRequest.make({ keys, startVersion: LOCKED_AT + BigInt(i) }),
});

const lockOf = (key: Key, i: number): MvccWrite => ({
  method: "KvPessimisticLock",
  request: PessimisticLockRequest.make({
    mutations: [Mutation.make({ op: Op.PessimisticLock, key })],
    primaryLock: key,
    startVersion: LOCKED_AT + BigInt(i),
    forUpdateTs: LOCKED_AT + BigInt(i),
    lockTtl: LOCK_TTL_MS,
  }),
});

const statusOf = (primaryKey: Key, i: number): MvccWrite => ({
  method: "KvCheckTxnStatus",
  request: CheckTxnStatusRequest.make({
    primaryKey,
    lockTs: LOCKED_AT + BigInt(i),
    callerStartTs: NOW,
    currentTs: NOW,
  }),
});

const heartbeatOf = (primaryLock: Key, i: number): MvccWrite => ({
  method: "KvTxnHeartBeat",
  request: TxnHeartBeatRequest.make({
    primaryLock,
    startVersion: LOCKED_AT + BigInt(i),
    adviseLockTtl: 2 * LOCK_TTL_MS,
  }),
});

const batchGetOf = (keys: readonly Key[]): MvccRead => ({
  method: "KvBatchGet",
  request: BatchGetRequest.make({ keys, version: NOW }),
});

const scanOf = (startKey: Key): MvccRead => ({
  method: "KvScan",
  request: ScanRequest.make({ startKey, version: NOW, limit: SCANNED }),
});
