/** The planted bugs of transactions: in the stores, in the client library, in the oracle. */
import type { PlantedBug } from "./bug.ts";

export const TRANSACTION_BUGS: readonly PlantedBug[] = [
  {
    id: "T01",
    name: "a calculated commit timestamp is not held above what had been committed before",
    source: "TiKV #8589; TiDB #20276",
    edits: [
      {
        file: "engine/client/commit.ts",
        find: `    const floor = calculated
      ? toTimestamp((await this.#cluster.placement.timestamp(backoff)) + 1n)
      : ZERO_TIMESTAMP;`,
        replace: "    const floor = ZERO_TIMESTAMP;",
      },
    ],
    scenarios: ["isolation"],
  },
  {
    id: "T02",
    name: "a new leader does not ask for a timestamp above its predecessor's reads",
    source: "TiKV #8468, #8508",
    edits: [
      {
        file: "engine/store/transactions/sync.ts",
        find: "concurrency: raise(concurrency, composeTimestamp(physical, logical)),",
        replace:
          "concurrency: raise(concurrency, composeTimestamp(Math.min(physical, 0), logical)),",
      },
      {
        file: "engine/store/transactions/writes.ts",
        find: "} else if (needsSyncedMaxTs(call) && !isSynced(turn, replica)) {",
        replace: "} else if (needsSyncedMaxTs(call) && !isSynced(turn, replica) && id < 0) {",
      },
    ],
    scenarios: ["late-calls"],
  },
  {
    id: "T04",
    name: "a follower reads without asking for the locks in its leader's memory",
    source: "TiKV #8669, #12109; TiDB #32800",
    edits: [
      {
        file: "engine/store/transactions/reads.ts",
        find: "return encodeQuestions(calls.map(questionOf), turn.wire);",
        replace:
          "return encodeQuestions(calls.map((one) => (one.ticket < 0 ? questionOf(one) : undefined)), turn.wire);",
      },
    ],
    scenarios: ["late-calls"],
  },
  {
    id: "T06",
    name: "the commit timestamp is that of the prewrite answered last, not the greatest",
    source: "TiKV #8657, #8672; TiDB #21028",
    edits: [
      {
        file: "engine/client/commit.ts",
        find: "state.minCommitTs = maxTimestamp(state.minCommitTs, minCommitTs as Timestamp);",
        replace: "state.minCommitTs = minCommitTs as Timestamp;",
      },
    ],
    scenarios: ["late-calls", "bank"],
  },
  {
    id: "T07",
    name: "the record of a rollback takes the place of a commit at the same timestamp",
    source: "TiKV #8349, #16634; TiCDC #9446",
    edits: [
      {
        file: "engine/mvcc/key/rollback.ts",
        find: "  if (overlapped === undefined) draft.putWrite",
        replace: "  if (overlapped === undefined || isProtected) draft.putWrite",
      },
    ],
    scenarios: ["late-calls"],
  },
  {
    id: "T09",
    name: "the record of a primary's rollback makes place for the next one, which refuses nobody",
    source: "TiKV #16620, #5575, #7364",
    edits: [
      {
        file: "engine/mvcc/key/rollback.ts",
        find: "  const isProtected = user === lock.primary || lock.generation > 0;",
        replace: "  const isProtected = user === lock.primary && lock.generation > 0;",
      },
      {
        file: "engine/mvcc/key/rollback.ts",
        find: '  const isProtected = action === "protected_rollback";',
        replace: '  const isProtected = action === "protected_rollback" && startTs === 0n;',
      },
      // Harmless by itself, as protected records stay: elsewhere a prewrite that comes late is
      // refused by any later rollback of its key as well.
      {
        file: "engine/mvcc/key/constraint.ts",
        find: "  if (!isPessimistic(txn)) return conflict(WriteConflict_Reason.Optimistic);",
        replace:
          '  if (!isPessimistic(txn)) return write.type === "rollback" ? "older" : conflict(WriteConflict_Reason.Optimistic);',
      },
    ],
    scenarios: ["late-calls"],
  },
  {
    id: "T10",
    name: "whoever is told that a transaction has no lock leaves no record of it",
    source: "TiKV #5673",
    edits: [
      {
        file: "engine/mvcc/key/rollback.ts",
        find: "  if (isProtected) leaveProtectedRollback(work, key, startTs, other, fate.overlapped);\n  else leaveRecord",
        replace:
          "  if (isProtected && startTs === 0n) leaveProtectedRollback(work, key, startTs, other, fate.overlapped);\n  else if (!isProtected) leaveRecord",
      },
    ],
    scenarios: ["late-calls", "bank"],
  },
  {
    id: "T11",
    name: "a prewrite that is repeated after the commit locks and commits the key again",
    source: "TiDB #26359; TiKV #10600, #11187",
    edits: [
      {
        file: "engine/mvcc/key/prewrite.ts",
        find: "  if (newest !== undefined && newest.commitTs >= txn.startTs) {\n",
        replace:
          "  if (newest !== undefined && newest.commitTs >= txn.startTs && newest.write.startTs !== txn.startTs) {\n",
      },
    ],
    scenarios: ["bank"],
  },
  {
    id: "T12",
    name: "a repeated prewrite of a committed transaction is refused",
    source: "TiDB #34066; TiKV #12369, #10522",
    edits: [
      {
        file: "engine/mvcc/command/prewrite.ts",
        find: '  return fate.type === "committed" ? fate.commitTs : undefined;\n',
        replace:
          '  return fate.type === "committed" && txn.startTs === 0n ? fate.commitTs : undefined;\n',
      },
    ],
    scenarios: ["late-calls", "bank"],
  },
  {
    id: "T14",
    name: "who asks for a secondary that is not locked yet leaves no record: its client goes on and reports success",
    source: "TiDB #33641; client-go #492",
    edits: [
      {
        file: "engine/mvcc/command/check-secondaries.ts",
        find: "  leaveProtectedRollback(work, key, startTs, isOwn ? undefined : lock, fate.overlapped);\n  if (fate.overlapped === undefined) collapse(work, key, startTs);\n",
        replace: `  if (startTs === 0n) {
    leaveProtectedRollback(work, key, startTs, isOwn ? undefined : lock, fate.overlapped);
    collapse(work, key, startTs);
  }
`,
      },
    ],
    scenarios: ["late-calls", "bank"],
  },
  {
    id: "T15",
    name: "a secondary that has fallen back to two phases is taken for one that commits asynchronously",
    source: "TiDB #24384, #59494",
    edits: [
      {
        file: "engine/client/resolver.ts",
        find: "          if (!lock.useAsyncCommit) return undefined;\n",
        replace: "",
      },
    ],
    scenarios: ["late-calls"],
  },
  {
    id: "T17",
    name: "a pessimistic lock that was left over is committed as a record",
    source: "TiKV #14551, #14557",
    edits: [
      {
        file: "engine/mvcc/key/commit.ts",
        find: "    draft.unlock(key, lock, 0n as Timestamp);\n",
        replace:
          '    draft.putWrite(key, commitTs, committedWrite(lock, "lock", commitTs));\n    draft.unlock(key, lock, 0n as Timestamp);\n',
      },
    ],
    scenarios: ["late-calls"],
  },
  {
    id: "T20",
    name: "a prewrite takes its pessimistic lock for there, though it was lost and others wrote",
    source: "TiKV RFC 77, #11577, #11883, #18453",
    edits: [
      {
        file: "engine/mvcc/key/prewrite.ts",
        find: "  if (newest !== undefined && newest.commitTs >= txn.startTs) {\n",
        replace: "  if (newest !== undefined && newest.commitTs === txn.startTs) {\n",
      },
    ],
    scenarios: ["bank"],
  },
  {
    id: "T21",
    name: "a pessimistic lock in memory hides what was written over it",
    source: "TiKV #19864",
    edits: [
      {
        file: "engine/store/transactions/memory.ts",
        find: "  if (held !== undefined) keep(turn, region, supersede(held, operations));\n",
        replace:
          "  if (held !== undefined && operations.length > 1) {\n    keep(turn, region, supersede(held, operations));\n  }\n",
      },
    ],
    scenarios: ["bank"],
  },
  {
    id: "T22",
    name: "a commit of which no word came is taken for one that failed",
    source: "client-go #1298, #1641; TiKV #9113",
    edits: [
      {
        file: "engine/client/cluster.ts",
        find: '    if (reason === "lost") backoff.uncertain = true;\n',
        replace: "",
      },
    ],
    scenarios: ["late-calls", "bank"],
  },
  {
    id: "T24",
    name: "locks that one snapshot may pass are passed by the snapshots after it",
    source: "client-go #233; TiKV #10570",
    edits: [
      {
        file: "engine/client/resolver.ts",
        find: "  readonly #fates = new Map<bigint, Ended>();\n",
        replace:
          "  readonly #fates = new Map<bigint, Ended>();\n  readonly passed: Set<bigint> = new Set<bigint>();\n",
      },
      {
        file: "engine/client/snapshot.ts",
        find: "  readonly #resolved = new Set<bigint>();\n",
        replace: "  readonly #resolved: Set<bigint>;\n",
      },
      {
        file: "engine/client/snapshot.ts",
        find: "    this.#resolver = resolver;\n",
        replace: "    this.#resolver = resolver;\n    this.#resolved = resolver.passed;\n",
      },
    ],
    scenarios: ["late-calls"],
  },
  {
    id: "T25",
    name: "a compaction leaves out a delete, under which older versions lie elsewhere",
    source: "TiKV #8339, #9054",
    edits: [
      {
        file: "engine/mvcc/garbage-filter.ts",
        find: 'return verdict === "drop" && !hasLongValue(decoded.write);',
        replace: 'return verdict !== "keep" && !hasLongValue(decoded.write);',
      },
    ],
    scenarios: ["bank"],
  },
  {
    id: "T27",
    name: "a store believes any timestamp, and calculates every commit above it",
    source: "TiKV #10443; client-go #994, #1250",
    edits: [
      {
        file: "engine/store/transactions/oracle.ts",
        find: "  return physicalOf(ts) <= limitMs(turn);\n",
        replace: "  return physicalOf(ts) <= limitMs(turn) || ts < ABSURD;\n",
      },
    ],
    scenarios: ["isolation", "late-calls"],
  },
  {
    id: "T29",
    name: "one heartbeat that fails is the last one of its transaction",
    source: "client-go #1522, #1903",
    edits: [
      {
        file: "engine/client/heartbeat.ts",
        find: '      log?.({ message: "heartbeat failed", because: String(error) });\n',
        replace:
          '      log?.({ message: "heartbeat failed", because: String(error) });\n      return;\n',
      },
    ],
    scenarios: ["isolation", "bank"],
  },
  {
    id: "T30",
    name: "a prewrite that comes after the locks were looked for commits below the safe point",
    source: "TiKV #9526, #9558",
    edits: [
      {
        file: "engine/mvcc/calls.ts",
        find: "      return greatest([call.request.maxVersion]);\n",
        replace: "      return ZERO_TIMESTAMP;\n",
      },
    ],
    scenarios: ["late-collections"],
  },
  {
    id: "T32",
    name: "a repeated prewrite raises its commit timestamp, when somebody has counted the locks",
    source: "CockroachDB #46431, #46596, #38117, #149911",
    edits: [
      {
        file: "engine/mvcc/key/prewrite.ts",
        find: '  if (held.type === "prewritten" && txn.generation === 0) {\n',
        replace: `  const counted =
    held.type === "prewritten" &&
    held.lock.secondaries !== undefined &&
    txn.commitKind === "asynchronous";
  if (held.type === "prewritten" && txn.generation === 0 && !counted) {
`,
      },
    ],
    scenarios: ["late-calls", "bank"],
  },
];
