/** The planted bugs of Raft: elections, replication, reads, leases. */
import type { PlantedBug } from "./bug.ts";

const STORMS = ["crash-storm", "deposed-leaders", "partitions", "one-way-partitions", "power-loss"];

export const RAFT_BUGS: readonly PlantedBug[] = [
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
    id: "R07",
    name: "a leader that hears no quorum goes on, and those who hear it vote for nobody else",
    source: "openraft #2080, #1796; Cloudflare 2020; OmniPaxos",
    edits: [
      {
        file: "engine/raft/step.ts",
        find: "  if (checkQuorum && now - quorumHeardMs(draft, now) >= electionMs) {",
        replace: "  if (checkQuorum && now - quorumHeardMs(draft, now) >= electionMs * 2 ** 30) {",
      },
    ],
    scenarios: ["bridge-partitions", "one-way-partitions", "deposed-leaders"],
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
    id: "R14",
    name: "a read is confirmed by any answer to its number, which the next reads have as well",
    source: "etcd #20418 (etcd-io/raft #397); TiKV #5213",
    edits: [
      {
        file: "engine/raft/reads.ts",
        find: "  const round = reads.round + 1;\n",
        replace: `  const round = 1;
  draft.peers = draft.peers.map((peer) => ({ ...peer, round: 0 }));
`,
      },
    ],
    scenarios: ["late-answers"],
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
];
