/**
 * The planted bugs. Most revert the guard that the engine has against a bug which other systems
 * have really had; each is as small as the slip of a tired person.
 */
import type { PlantedBug } from "./bug.ts";
import { MEMBERSHIP_BUGS } from "./membership.ts";
import { PLACEMENT_BUGS } from "./placement.ts";
import { RAFT_BUGS } from "./raft.ts";
import { STORAGE_BUGS } from "./storage.ts";
import { TRANSACTION_BUGS } from "./transactions.ts";

export const BUGS: readonly PlantedBug[] = [
  ...RAFT_BUGS,
  ...MEMBERSHIP_BUGS,
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
        file: "engine/region/snapshot/restore.ts",
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
        file: "engine/region/snapshot/restore.ts",
        find: `  const { region } = incoming.head;
  return turn.replicas
    .overlapping(region.startKey, region.endKey)
    .every((other) => other.region.id === replica.region.id);`,
        replace: "  return true;",
      },
      {
        file: "engine/region/snapshot/receive.ts",
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
