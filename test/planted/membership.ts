/** The planted bugs of membership: changes, learners, joint configurations, and their records. */
import type { PlantedBug } from "./bug.ts";

export const MEMBERSHIP_BUGS: readonly PlantedBug[] = [
  {
    id: "R02",
    name: "a new leader changes members before it has committed anything in its term",
    source: "Ongaro, raft-dev 2015; AxonIQ #120",
    edits: [
      {
        file: "engine/raft/membership.ts",
        find: "} else if (draft.commit < draft.termStart || draft.applied < current.index) {",
        replace: "} else if (draft.applied < current.index) {",
      },
    ],
    scenarios: ["rearrangements", "membership-churn"],
  },
  {
    id: "R03",
    name: "a new leader goes by the members that it has applied, not by those of its log",
    source: "NuRaft #67; RedisLabs/raft #62",
    edits: [
      {
        file: "engine/raft/election.ts",
        find: '  draft.role = "leader";\n  draft.leader = id;\n',
        replace: `  draft.history = rolledBack(draft.history, draft.applied);
  draft.role = "leader";
  draft.leader = id;
`,
      },
      {
        file: "engine/raft/election.ts",
        find: 'import { inForce, isVoter, members } from "./configuration.ts";',
        replace: 'import { inForce, isVoter, members, rolledBack } from "./configuration.ts";',
      },
    ],
    scenarios: ["rearrangements", "membership-churn"],
  },
  {
    id: "R04",
    name: "a truncation that takes the first change of the log does not know what was before it",
    source: "ScyllaDB #30984, #31257",
    edits: [
      {
        file: "engine/raft/configuration.ts",
        find: "  while (count > 1 && history[count - 1]!.index > last) count -= 1;",
        replace: "  while (count > 2 && history[count - 1]!.index > last) count -= 1;",
      },
    ],
    scenarios: ["rearrangements", "membership-churn"],
  },
  {
    id: "R09",
    name: "a learner that does not know of its promotion yet refuses to vote",
    source: "etcd-io/raft abb533c",
    edits: [
      {
        file: "engine/raft/election.ts",
        find: "  const { pre } = m;\n",
        replace: `  const { pre } = m;
  if (inForce(draft.history).configuration.learners.includes(draft.config.id)) {
    send(turn, from, { type: "vote_response", term: draft.term, pre, granted: false });
    return;
  }
`,
      },
    ],
    scenarios: ["rearrangements", "membership-churn"],
  },
  {
    id: "R10",
    name: "who comes back between two configurations knows one majority of the two",
    source: "etcd-io/raft e515a67",
    edits: [
      {
        file: "engine/store/open.ts",
        find: "      configuration: configurationOf(known.region),\n",
        replace: "      configuration: { ...configurationOf(known.region), outgoing: [] },\n",
      },
      {
        file: "engine/raft/snapshot.ts",
        find: "  draft.history = [{ index, configuration }, ...later];",
        replace:
          "  draft.history = [{ index, configuration: { ...configuration, outgoing: [] } }, ...later];",
      },
    ],
    scenarios: ["rearrangements"],
  },
  {
    id: "R12",
    name: "who is no voter any more stands for election when a late message tells it to",
    source: "etcd-io/raft 816fc51; CockroachDB #8535",
    edits: [
      {
        file: "engine/raft/election.ts",
        find: `  if (!isCurrent(turn, from, m) || !mayCampaign(turn)) return;
  // A leader never chooses a member that is on its way out.
  if (isVoter(inForce(draft.history).configuration, draft.config.id)) campaign(turn, m.sentAt);`,
        replace:
          '  if (isCurrent(turn, from, m) && draft.role === "follower") campaign(turn, m.sentAt);',
      },
      {
        file: "engine/raft/transfer.ts",
        find: "  return draft.heardTerm === draft.term && m.sentAt >= draft.heardSentAt;",
        replace: "  return draft.heardTerm === draft.term && m.term === draft.term;",
      },
    ],
    scenarios: ["late-removals"],
  },
  {
    id: "W02",
    name: "a promotion that is applied again at a start is not taken into the region's members",
    source: "etcd #19557, #21694",
    edits: [
      {
        file: "engine/region/members.ts",
        find: "    peers: peersUnder(configuration, known),\n",
        replace: `    peers: peersUnder(configuration, known).map((peer) => {
      const before = peerById(replica.region, peer.id as PeerId);
      return turn.replaying && before !== undefined ? before : peer;
    }),
`,
      },
    ],
    scenarios: ["rearrangements", "membership-churn"],
  },
];
