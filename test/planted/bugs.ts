/**
 * The planted bugs. Most revert the guard that the engine has against a bug which other systems
 * have really had; each is as small as the slip of a tired person.
 */
import type { PlantedBug } from "./bug.ts";
import { PLACEMENT_BUGS } from "./placement.ts";
import { STORAGE_BUGS } from "./storage.ts";
import { TRANSACTION_BUGS } from "./transactions.ts";

const STORMS = ["crash-storm", "deposed-leaders", "partitions", "one-way-partitions", "power-loss"];

export const BUGS: readonly PlantedBug[] = [
  {
    id: "R01",
    name: "an entry of an earlier term is committed by counting replicas",
    source: "Raft paper, figure 8; LogCabin #44",
    edits: [
      {
        file: "engine/raft/replication.ts",
        find: "if (index <= draft.commit || logs.termAt(log, index) !== draft.term) return;",
        replace: "if (index <= draft.commit || logs.termAt(log, index) === undefined) return;",
      },
    ],
    scenarios: STORMS,
  },
  {
    id: "R06",
    name: "a message of an earlier term is dropped without a word",
    source: "etcd #8334, #9586, #10355; raft-rs #84",
    edits: [
      {
        file: "engine/raft/step.ts",
        find: "if (m.term < draft.term) return answerEarlierTerm(turn, from, m);",
        replace: `if (m.term < draft.term) {
    if (m.type === "read_index_request") answerEarlierTerm(turn, from, m);
    return;
  }`,
      },
    ],
    scenarios: ["deposed-leaders", "one-way-partitions"],
  },
  {
    id: "R13",
    name: "a new leader answers a read index before it has committed anything",
    source: "etcd #12680; TiKV #6340, #9239",
    edits: [
      {
        file: "engine/raft/reads.ts",
        find: "if (reads.waiting.length === 0 || draft.commit < draft.termStart) return false;",
        replace: "if (reads.waiting.length === 0) return false;",
      },
    ],
    scenarios: STORMS,
  },
  {
    id: "R16",
    name: "the commit index on disk falls back to the page that was handed out",
    source: "etcd-io/raft 8ecce32; CockroachDB #28918",
    edits: [
      {
        file: "engine/raft/writing.ts",
        find: "return { term: turn.draft.term, vote: turn.draft.vote, commit: turn.draft.commit };",
        replace:
          "return { term: turn.draft.term, vote: turn.draft.vote, commit: turn.draft.handedOut };",
      },
    ],
    scenarios: STORMS,
  },
  {
    id: "R17",
    name: "a leader counts its own entries before they are durable",
    source: "etcd #14370; etcd-io/raft 437bcb8",
    edits: [
      {
        file: "engine/raft/replication.ts",
        find: "if (voter === draft.config.id) return draft.durable;",
        replace: "if (voter === draft.config.id) return draft.log.last;",
      },
      {
        file: "engine/raft/applying.ts",
        find: "    state.commit > state.applied &&\n    state.durable > state.applied\n",
        replace: "    state.commit > state.applied\n",
      },
      {
        file: "engine/raft/applying.ts",
        find: "const to = minIndex(draft.commit, draft.durable);",
        replace: "const to = minIndex(draft.commit, draft.log.last);",
      },
    ],
    scenarios: ["power-loss", "crash-storm"],
  },
  {
    id: "R18",
    name: "the term of a compacted entry is taken for 0, and 0 matches a missing one",
    source: "etcd-io/raft 76f1249",
    edits: [
      {
        file: "engine/raft/replication.ts",
        find: "  const previousTerm = logs.termAt(draft.log, previous);\n",
        replace:
          "  const previousTerm = logs.termAt(draft.log, previous) ?? (maxBytes === 0 ? (0 as never) : undefined);\n",
      },
      {
        file: "engine/raft/following.ts",
        find: "} else if (logs.termAt(draft.log, m.previousIndex) !== m.previousTerm) {",
        replace: "} else if ((logs.termAt(draft.log, m.previousIndex) ?? 0) !== m.previousTerm) {",
      },
    ],
    scenarios: ["lagging-followers", "deposed-leaders"],
  },
  {
    id: "R21",
    name: "a follower acknowledges its whole log instead of what was verified",
    source: "CCF, found by trace validation; CCF #5674",
    edits: [
      {
        file: "engine/raft/following.ts",
        find: "  accept(turn, from, last, m.sentAt);\n",
        replace: "  accept(turn, from, draft.log.last, m.sentAt);\n",
      },
      // Harmless by itself: whether logs agree is asked before anything is sent. Elsewhere the
      // engine sends nothing that a follower could hold more than, so the slip alone would do no
      // harm.
      {
        file: "engine/raft/replication.ts",
        find: "if (!sendAppend(turn, at, config.maxAppendBytes)) return;",
        replace:
          'if (!sendAppend(turn, at, peer.state === "probe" ? 0 : config.maxAppendBytes)) return;',
      },
    ],
    scenarios: ["deposed-leaders", "crash-storm"],
  },
  {
    id: "R22",
    name: "the hard state of a replica that is no voter (yet) is not written",
    source: "TiKV #3572, #8381, #9579",
    edits: [
      {
        file: "engine/region/drive.ts",
        find: "    hardState: effect.hardState,\n",
        replace:
          "    hardState: replica.region.peers.some(({ id, role }) => id === replica.peer.id && role !== 1) ? effect.hardState : undefined,\n",
      },
    ],
    scenarios: ["membership-churn", "splits"],
  },
  {
    id: "R23",
    name: "a restarted member votes at once, and forgets the lease it has granted",
    source: "TiKV #15035, #15085",
    edits: [
      {
        file: "engine/raft/start.ts",
        find: "return member(config, hardState, log, history, applied, nowMs, nowMs + config.electionMs);",
        replace: "return member(config, hardState, log, history, applied, nowMs, nowMs);",
      },
    ],
    scenarios: ["deposed-leaders"],
  },
  {
    id: "C01",
    name: "the lease is measured by the wall clock",
    source: "TiKV #964, #9728; etcd #6005",
    edits: [
      {
        file: "engine/store/requests.ts",
        find: "if (leaseValid(replica.raft, turn.now.monotonicMs) && holdsCommitted(replica)) {",
        replace: "if (leaseValid(replica.raft, turn.now.wallMs) && holdsCommitted(replica)) {",
      },
      {
        file: "engine/region/drive.ts",
        find: "const next = step(current.raft, turn.now.monotonicMs, inputs[i] as RaftInput);",
        replace: "const next = step(current.raft, turn.now.wallMs, inputs[i] as RaftInput);",
      },
    ],
    scenarios: ["clock-trouble"],
  },
  {
    id: "S01",
    name: "who loses the leadership sends its clients away while their writes may still be committed",
    source: "CockroachDB #39064, #35261; TiKV #16818",
    edits: [
      {
        file: "engine/region/drive.ts",
        find: "      noteStatus(turn, replica, effect.role, effect.term);\n      return replica;",
        replace: `      noteStatus(turn, replica, effect.role, effect.term);
      if (effect.role === "leader") return replica;
      for (const { parts } of replica.pending) {
        for (const part of parts) fail(turn, part, staleCommand());
      }
      return withReplica(replica, { pending: [] });`,
      },
      {
        file: "engine/region/drive.ts",
        find: 'import { dropProposal, noteProposed, type Proposal } from "./propose.ts";',
        replace: `import { staleCommand } from "./errors.ts";
import { dropProposal, fail, noteProposed, type Proposal } from "./propose.ts";`,
      },
    ],
    scenarios: ["deposed-leaders", "partitions", "one-way-partitions", "crash-storm"],
  },
  {
    id: "S03",
    name: "merged tables are removed before it is durable that nobody needs them",
    source: "CockroachDB #36414, #114191",
    edits: [
      {
        file: "engine/storage/lsm/results.ts",
        find: "      ...tree,\n      compactions: compactions.map((running) =>",
        replace: `      ...tree,
      doomed: [
        ...tree.doomed,
        ...compactions.flatMap(({ ticket: other, merge }) =>
          other === ticket ? merge.leaving.map(({ number }) => number) : [],
        ),
      ],
      compactions: compactions.map((running) =>`,
      },
      {
        file: "engine/storage/lsm/work.ts",
        find: `  for (const { merge } of now.compactions) {
    for`,
        replace: `  for (const { merge, result } of now.compactions) {
    if (result === undefined) for`,
      },
    ],
    scenarios: ["power-loss", "crash-storm"],
  },
  {
    id: "S04",
    name: "an applied index becomes durable before the data that it speaks of",
    source: "etcd #13766 (postmortem of 3.5)",
    edits: [
      {
        file: "engine/storage/lsm/manifest/next-edit.ts",
        find: "  marks: [],\n",
        replace:
          '  marks: now.layers.flatMap((layer) => (layer.type === "memtable" ? layer.marks : [])),\n',
      },
    ],
    scenarios: ["power-loss", "crash-storm"],
  },
  {
    id: "S05",
    name: "rewriting the manifest falls back to the applied indices of the edit before",
    source: "etcd #14685, #17780",
    edits: [
      {
        file: "engine/storage/lsm/manifest/manifest.ts",
        find: "encodeEdit(editOf(after), wire)",
        replace: "encodeEdit({ ...editOf(after), marks: editOf(facts).marks }, wire)",
      },
    ],
    scenarios: ["power-loss", "crash-storm"],
  },
  {
    id: "S07",
    name: "a start removes received tables that only the log names",
    source: "TiKV #11746, #15292",
    edits: [
      {
        file: "engine/storage/open.ts",
        find: "repairs(replay, manifest, files, named);",
        replace: "repairs(replay, manifest, files, tablesNamed(facts, []));",
      },
    ],
    scenarios: ["lagging-followers", "crash-storm", "power-loss"],
  },
  {
    id: "S08",
    name: "a snapshot that begins to come in takes the files of the one before, which are in use",
    source: "etcd #18055",
    edits: [
      {
        file: "engine/region/restore.ts",
        find: "    incoming: undefined,\n    damaged: undefined,\n",
        replace: "    damaged: undefined,\n",
      },
    ],
    scenarios: ["lagging-followers", "membership-churn", "rotting-disks"],
  },
  {
    id: "S12",
    name: "a snapshot is restored over a region that does not know yet that it was split",
    source: "TiKV #7027, #6366, #7002",
    edits: [
      {
        file: "engine/region/restore.ts",
        find: `  const { region } = incoming.head;
  return turn.replicas
    .overlapping(region.startKey, region.endKey)
    .every((other) => other.region.id === replica.region.id);`,
        replace: "  return true;",
      },
      {
        file: "engine/region/receive-snapshot.ts",
        find: `    .overlapping(region.startKey, region.endKey)
    .every((other) => other.region.id === replica.region.id);`,
        replace: "    .overlapping(region.startKey, region.endKey).length >= 0;",
      },
    ],
    scenarios: ["splits", "lagging-followers", "membership-churn"],
  },
  {
    id: "S14",
    name: "a new log segment's name is not made durable",
    source: "etcd #6368, #6378",
    edits: [
      {
        file: "engine/storage/log/batch.ts",
        find: '    { type: "sync", file },\n    { type: "sync_directory" },\n  );',
        replace: '    { type: "sync", file },\n  );',
      },
    ],
    scenarios: ["power-loss", "crash-storm"],
  },
  {
    id: "S15",
    name: "records are appended behind a torn tail",
    source: "mysticeti #219; raft-engine #344",
    edits: [
      {
        file: "engine/storage/open.ts",
        find: '    if (replay.torn) operations.push({ type: "truncate", file, size: last.size });\n',
        replace: "",
      },
    ],
    scenarios: ["power-loss", "crash-storm"],
  },
  {
    id: "S16",
    name: "what is being flushed is read from its tables before they are part of the version",
    source: "TiKV #17645, #14390, #15173",
    edits: [
      {
        file: "engine/storage/state.ts",
        find: "  layers: tree.layers,",
        replace: '  layers: tree.flush.type === "ready" ? tree.layers.slice(0, -1) : tree.layers,',
      },
    ],
    scenarios: ["calm", "splits"],
  },
  ...STORAGE_BUGS,
  ...TRANSACTION_BUGS,
  ...PLACEMENT_BUGS,
];
