/** All scenarios, in the order in which they are listed and run. */
import type { Scenario } from "../sim/scenario.ts";
import { bank } from "./bank.ts";
import { bridgePartitions } from "./bridge-partitions.ts";
import { calm } from "./calm.ts";
import { clockTrouble } from "./clock-trouble.ts";
import { crashStorm } from "./crash-storm.ts";
import { deposedLeaders } from "./deposed-leaders.ts";
import { flashbacks } from "./flashbacks.ts";
import { fullDisks } from "./full-disks.ts";
import { isolationClocks } from "./isolation-clocks.ts";
import { isolation } from "./isolation.ts";
import { laggingFollowers } from "./lagging-followers.ts";
import { lateAnswers } from "./late-answers.ts";
import { lateCalls } from "./late-calls.ts";
import { lateCollections } from "./late-collections.ts";
import { lateHandovers } from "./late-handovers.ts";
import { lateRemovals } from "./late-removals.ts";
import { lostDisks } from "./lost-disks.ts";
import { lostQuorums } from "./lost-quorums.ts";
import { membershipChurn } from "./membership-churn.ts";
import { movingOracle } from "./moving-oracle.ts";
import { oneSlowDisk } from "./one-slow-disk.ts";
import { oneWayPartitions } from "./one-way-partitions.ts";
import { partitions } from "./partitions.ts";
import { powerLoss } from "./power-loss.ts";
import { rearrangements } from "./rearrangements.ts";
import { rottingDisks } from "./rotting-disks.ts";
import { slowDisks } from "./slow-disks.ts";
import { splits } from "./splits.ts";
import { swarm, swarmTransactions } from "./swarm.ts";

export const SCENARIOS: readonly Scenario[] = [
  calm,
  partitions,
  oneWayPartitions,
  bridgePartitions,
  crashStorm,
  deposedLeaders,
  powerLoss,
  clockTrouble,
  movingOracle,
  slowDisks,
  oneSlowDisk,
  fullDisks,
  rottingDisks,
  lostDisks,
  lostQuorums,
  laggingFollowers,
  membershipChurn,
  rearrangements,
  splits,
  bank,
  flashbacks,
  isolation,
  isolationClocks,
  lateAnswers,
  lateCalls,
  lateCollections,
  lateHandovers,
  lateRemovals,
  swarm,
  swarmTransactions,
];
