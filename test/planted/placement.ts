/** The planted bugs of the placement driver's oracle. */
import type { PlantedBug } from "./bug.ts";

export const PLACEMENT_BUGS: readonly PlantedBug[] = [
  {
    id: "P01",
    name: "the oracle follows the clock beyond the window that is stored",
    source: "PD #4884, #4885",
    edits: [
      {
        file: "engine/placement/oracle.ts",
        find: "const behind = Math.min(wallMs - oracle.physical, room);",
        replace: "const behind = wallMs - oracle.physical;",
      },
      {
        file: "engine/placement/oracle.ts",
        find: "if (physical >= oracle.limit) return undefined;",
        replace: "if (oracle.limit === 0) return undefined;",
      },
    ],
    scenarios: ["moving-oracle"],
  },
  {
    id: "P02",
    name: "a member that leads again goes on with the timestamps of its last leadership",
    source: "PD 9fa4852, #3423, #3424",
    edits: [
      {
        file: "engine/placement/state.ts",
        find: "  readonly leadership: Leadership | undefined;\n",
        replace:
          '  readonly leadership: Leadership | undefined;\n  readonly oracle?: Leadership["oracle"] | undefined;\n',
      },
      {
        file: "engine/placement/turn.ts",
        find: "    leadership: state.leadership,\n",
        replace: "    leadership: state.leadership,\n    oracle: state.oracle,\n",
      },
      {
        file: "engine/placement/leader.ts",
        find: "  turn.draft.leadership = undefined;\n",
        replace: "  turn.draft.leadership = undefined;\n  turn.draft.oracle = leadership.oracle;\n",
      },
      {
        file: "engine/placement/leader.ts",
        find: "turn.draft.leadership = makeReady(leadership, catalog, turn.now);",
        replace:
          "{\n    const won = makeReady(leadership, catalog, turn.now);\n    turn.draft.leadership = withOracle(won, turn.draft.oracle ?? won.oracle);\n  }",
      },
    ],
    scenarios: ["moving-oracle"],
  },
  {
    id: "P04",
    name: "a leader grants timestamps without asking whether it still leads",
    source: "PD #9051, #9157, #9171",
    edits: [
      {
        file: "engine/placement/leader.ts",
        find: "if (catalog.clusterId === undefined || !leaseValid(raft, now.monotonicMs)) return;",
        replace:
          "if (catalog.clusterId === undefined || (now.monotonicMs < 0 && !leaseValid(raft, now.monotonicMs))) return;",
      },
    ],
    scenarios: ["moving-oracle"],
  },
];
