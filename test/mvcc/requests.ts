/**
 * The requests that lines stand for. Options left out are what the protocol takes for nothing.
 */
import type { Key } from "../../engine/base/bytes.ts";
import type { MvccCall, MvccRead, MvccWrite } from "../../engine/mvcc/calls.ts";
import {
  AssertionLevel,
  BatchGetRequest,
  BatchRollbackRequest,
  BufferBatchGetRequest,
  CheckSecondaryLocksRequest,
  CheckTxnStatusRequest,
  CleanupRequest,
  CommitRequest,
  Context,
  DeleteRangeRequest,
  FlashbackToVersionRequest,
  FlushRequest,
  GetRequest,
  IsolationLevel,
  MvccGetByKeyRequest,
  MvccGetByStartTsRequest,
  Mutation,
  Op,
  PessimisticLockRequest,
  PessimisticLockWakeUpMode,
  PessimisticRollbackRequest,
  PrepareFlashbackToVersionRequest,
  PrewriteRequest,
  PrewriteRequest_ForUpdateTSConstraint,
  PrewriteRequest_PessimisticAction,
  ResolveLockRequest,
  ScanLockRequest,
  ScanRequest,
  TxnHeartBeatRequest,
  TxnInfo,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import { type Line, parseTs } from "./words.ts";

export function callOf(line: Line): MvccCall {
  const make = READS[line.verb] ?? WRITES[line.verb];
  if (make === undefined) throw new Error(`no such verb: ${line.verb}`);
  return make(line);
}

const SWITCHES = new Set(
  "rc rcts stale committs keys reverse retry skip onepc values exists ifexists force verify".split(
    " ",
  ),
);
for (const more of ["rollback", "resolving", "sync", "notify"]) SWITCHES.add(more);

const has = (line: Line, word: string): boolean => line.words.includes(word);
const keysOf = (line: Line): readonly Key[] =>
  line.words
    .filter((word) => !SWITCHES.has(word) && !word.includes(".."))
    .map((word) => word as Key);
const keyOf = (line: Line): Key => keysOf(line)[0] ?? ("" as Key);
const ts = (line: Line, name: string): bigint => parseTs(line.options.get(name) ?? "0");
const num = (line: Line, name: string): number => Number(line.options.get(name) ?? 0);
const list = (line: Line, name: string): readonly string[] => {
  const text = line.options.get(name) ?? "";
  return text === "" ? [] : text.split(",");
};

/** "a..c": from a to before c; an end left out is none. */
function rangeOf(line: Line): readonly [Key, Key] {
  const word = line.words.find((w) => w.includes("..")) ?? "..";
  const [start = "", end = ""] = word.split("..");
  return [start as Key, end as Key];
}

const contextOf = (line: Line): Context =>
  Context.make({
    isolationLevel: has(line, "rc")
      ? IsolationLevel.RC
      : has(line, "rcts")
        ? IsolationLevel.RCCheckTS
        : IsolationLevel.SI,
    staleRead: has(line, "stale"),
    isRetryRequest: has(line, "retry"),
    resolvedLocks: list(line, "resolved").map(parseTs),
    committedLocks: list(line, "committed").map(parseTs),
    txnSource: BigInt(num(line, "source")),
  });

const READS: Readonly<Record<string, (line: Line) => MvccRead>> = {
  get: (line) => ({
    method: "KvGet",
    request: GetRequest.make({
      context: contextOf(line),
      key: keyOf(line),
      version: line.startTs,
      needCommitTs: has(line, "committs"),
    }),
  }),
  mget: (line) => ({
    method: "KvBatchGet",
    request: BatchGetRequest.make({
      context: contextOf(line),
      keys: keysOf(line),
      version: line.startTs,
      needCommitTs: has(line, "committs"),
    }),
  }),
  buffer: (line) => ({
    method: "KvBufferBatchGet",
    request: BufferBatchGetRequest.make({ keys: keysOf(line), version: line.startTs }),
  }),
  scan: (line) => {
    const [lower, upper] = rangeOf(line);
    const reverse = has(line, "reverse");
    return {
      method: "KvScan",
      request: ScanRequest.make({
        context: contextOf(line),
        startKey: reverse ? upper : lower,
        endKey: reverse ? lower : upper,
        version: line.startTs,
        limit: num(line, "limit") || 100,
        keyOnly: has(line, "keys"),
        reverse,
        sampleStep: num(line, "step"),
      }),
    };
  },
  locks: (line) => {
    const [startKey, endKey] = rangeOf(line);
    const { startTs: maxVersion } = line;
    const limit = num(line, "limit");
    return {
      method: "KvScanLock",
      request: ScanLockRequest.make({ startKey, endKey, maxVersion, limit }),
    };
  },
  show: (line) => ({
    method: "MvccGetByKey",
    request: MvccGetByKeyRequest.make({ key: keyOf(line) }),
  }),
  find: (line) => ({
    method: "MvccGetByStartTs",
    request: MvccGetByStartTsRequest.make({ startTs: line.startTs }),
  }),
};

const LEVELS: Readonly<Record<string, AssertionLevel>> = {
  off: AssertionLevel.Off,
  fast: AssertionLevel.Fast,
  strict: AssertionLevel.Strict,
};

const ACTIONS: Readonly<Record<string, PrewriteRequest_PessimisticAction>> = {
  skip: PrewriteRequest_PessimisticAction.SKIP_PESSIMISTIC_CHECK,
  check: PrewriteRequest_PessimisticAction.DO_PESSIMISTIC_CHECK,
  constraint: PrewriteRequest_PessimisticAction.DO_CONSTRAINT_CHECK,
};

function prewriteRequest(line: Line): PrewriteRequest {
  const secondaries = line.options.get("async");
  return PrewriteRequest.make({
    context: contextOf(line),
    mutations: line.mutations,
    primaryLock: (line.options.get("primary") ?? line.mutations[0]?.key ?? "") as Key,
    startVersion: line.startTs,
    lockTtl: num(line, "ttl"),
    skipConstraintCheck: has(line, "skip"),
    pessimisticActions: list(line, "actions").map((name) => ACTIONS[name]!),
    txnSize: ts(line, "size"),
    forUpdateTs: ts(line, "for"),
    minCommitTs: ts(line, "min"),
    useAsyncCommit: secondaries !== undefined,
    secondaries: list(line, "async").map((key) => key as Key),
    tryOnePc: has(line, "onepc"),
    maxCommitTs: ts(line, "max"),
    assertionLevel: LEVELS[line.options.get("level") ?? "off"]!,
    forUpdateTsConstraints: list(line, "expect").map((text) => {
      const [index = "", expected = ""] = text.split("/");
      return PrewriteRequest_ForUpdateTSConstraint.make({
        index: Number(index),
        expectedForUpdateTs: parseTs(expected),
      });
    }),
  });
}

function lockRequest(line: Line): PessimisticLockRequest {
  const named = keysOf(line).map((key) => Mutation.make({ op: Op.PessimisticLock, key }));
  const mutations = [...named, ...line.mutations];
  return PessimisticLockRequest.make({
    mutations,
    primaryLock: (line.options.get("primary") ?? mutations[0]?.key ?? "") as Key,
    startVersion: line.startTs,
    lockTtl: num(line, "ttl"),
    forUpdateTs: line.options.has("for") ? ts(line, "for") : line.startTs,
    returnValues: has(line, "values"),
    checkExistence: has(line, "exists"),
    lockOnlyIfExists: has(line, "ifexists"),
    minCommitTs: ts(line, "min"),
    wakeUpMode: has(line, "force")
      ? PessimisticLockWakeUpMode.WakeUpModeForceLock
      : PessimisticLockWakeUpMode.WakeUpModeNormal,
  });
}

const WRITES: Readonly<Record<string, (line: Line) => MvccWrite>> = {
  prewrite: (line) => ({ method: "KvPrewrite", request: prewriteRequest(line) }),
  commit: (line) => ({
    method: "KvCommit",
    request: CommitRequest.make({
      startVersion: line.startTs,
      commitVersion: line.commitTs,
      keys: keysOf(line),
    }),
  }),
  rollback: (line) => ({
    method: "KvBatchRollback",
    request: BatchRollbackRequest.make({ startVersion: line.startTs, keys: keysOf(line) }),
  }),
  cleanup: (line) => ({
    method: "KvCleanup",
    request: CleanupRequest.make({
      startVersion: line.startTs,
      key: keyOf(line),
      currentTs: ts(line, "now"),
    }),
  }),
  lock: (line) => ({ method: "KvPessimisticLock", request: lockRequest(line) }),
  unlock: (line) => ({
    method: "KVPessimisticRollback",
    request: PessimisticRollbackRequest.make({
      startVersion: line.startTs,
      forUpdateTs: line.options.has("for") ? ts(line, "for") : line.startTs,
      keys: keysOf(line),
    }),
  }),
  beat: (line) => ({
    method: "KvTxnHeartBeat",
    request: TxnHeartBeatRequest.make({
      startVersion: line.startTs,
      primaryLock: keyOf(line),
      adviseLockTtl: num(line, "ttl"),
      minCommitTs: ts(line, "min"),
    }),
  }),
  status: (line) => ({
    method: "KvCheckTxnStatus",
    request: CheckTxnStatusRequest.make({
      primaryKey: keyOf(line),
      lockTs: line.startTs,
      callerStartTs: ts(line, "caller"),
      currentTs: ts(line, "now"),
      rollbackIfNotExist: has(line, "rollback"),
      forceSyncCommit: has(line, "sync"),
      resolvingPessimisticLock: has(line, "resolving"),
      verifyIsPrimary: has(line, "verify"),
    }),
  }),
  secondaries: (line) => ({
    method: "KvCheckSecondaryLocks",
    request: CheckSecondaryLocksRequest.make({ startVersion: line.startTs, keys: keysOf(line) }),
  }),
  resolve: (line) => ({
    method: "KvResolveLock",
    request: ResolveLockRequest.make({
      startVersion: line.startTs,
      commitVersion: line.commitTs,
      keys: keysOf(line),
      txnInfos: line.words
        .filter((word) => word.includes(".."))
        .map((word) => {
          const [start = "", commit = ""] = word.split("..");
          return TxnInfo.make({ txn: parseTs(start), status: parseTs(commit) });
        }),
    }),
  }),
  drop: (line) => {
    const [startKey, endKey] = rangeOf(line);
    const notifyOnly = has(line, "notify");
    return {
      method: "KvDeleteRange",
      request: DeleteRangeRequest.make({ startKey, endKey, notifyOnly }),
    };
  },
  prepare: (line) => {
    const [startKey, endKey] = rangeOf(line);
    const { startTs } = line;
    const version = ts(line, "version");
    return {
      method: "KvPrepareFlashbackToVersion",
      request: PrepareFlashbackToVersionRequest.make({ startKey, endKey, startTs, version }),
    };
  },
  flashback: (line) => {
    const [startKey, endKey] = rangeOf(line);
    const { startTs, commitTs } = line;
    const version = ts(line, "version");
    return {
      method: "KvFlashbackToVersion",
      request: FlashbackToVersionRequest.make({ startKey, endKey, startTs, commitTs, version }),
    };
  },
  flush: (line) => ({
    method: "KvFlush",
    request: FlushRequest.make({
      context: contextOf(line),
      mutations: line.mutations,
      primaryKey: (line.options.get("primary") ?? line.mutations[0]?.key ?? "") as Key,
      startTs: line.startTs,
      minCommitTs: ts(line, "min"),
      generation: num(line, "gen"),
      lockTtl: num(line, "ttl"),
      assertionLevel: LEVELS[line.options.get("level") ?? "off"]!,
    }),
  }),
};
