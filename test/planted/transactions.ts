/** The planted bugs of transactions: in the stores, in the client library, in the oracle. */
import type { PlantedBug } from "./bug.ts";

export const TRANSACTION_BUGS: readonly PlantedBug[] = [
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
    scenarios: ["bank"],
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
    scenarios: ["bank"],
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
    scenarios: ["bank"],
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
    scenarios: ["bank"],
  },
];
