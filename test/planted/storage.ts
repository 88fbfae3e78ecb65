/** Planted bugs of leases and of stored data that meet when regions and leaders move. */
import type { PlantedBug } from "./bug.ts";

export const STORAGE_BUGS: readonly PlantedBug[] = [
  {
    id: "C04",
    name: "a handover that was given up is still taken for leave to elect somebody else",
    source: "CockroachDB #101836",
    edits: [
      {
        file: "engine/raft/lease.ts",
        find: "  return request.transfer < heardSentAt;\n",
        replace: "  return request.transfer < 0 && request.transfer < heardSentAt;\n",
      },
    ],
    scenarios: ["late-handovers"],
  },
  {
    id: "S09",
    name: "a start deletes the range of a region that is gone after it has loaded a newer one there",
    source: "TiKV #17258",
    edits: [
      {
        file: "engine/store/open.ts",
        find: "    recoverSnapshot(turn, group, group.restored);\n    applyCommitted(turn);\n  }\n",
        replace: `    recoverSnapshot(turn, group, group.restored);
    applyCommitted(turn);
  }
  for (const { region, tombstone } of groups) {
    const gone = tombstone === undefined ? undefined : known.get(region);
    if (gone !== undefined) clearRange(turn, gone.region.startKey, gone.region.endKey);
  }
`,
      },
    ],
    scenarios: ["membership-churn", "splits"],
  },
  {
    id: "S10",
    name: "tables of locks go with any range that was ever deleted around them, be it older",
    source: "TiKV #18091",
    edits: [
      {
        file: "engine/storage/lsm/hidden.ts",
        find: "  let clears = NO_CLEARS;\n  const look",
        replace: `  let clears = NO_CLEARS;
  if (cf === "lock") {
    for (const table of version.levels[cf].flat()) clears = unite(clears, table.clears);
  }
  const look`,
      },
    ],
    scenarios: ["bank", "isolation", "swarm-transactions"],
  },
];
