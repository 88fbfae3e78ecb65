/** The Raft settings of one group on this store. */
import type { PeerId, RegionId } from "../base/ids.ts";
import { configOf } from "../raft/config.ts";
import type { RaftConfig } from "../raft/types.ts";
import type { Turn } from "./turn.ts";

/** Every group of every store draws its election timeouts from a seed of its own. */
export const raftConfig = (turn: Turn, region: RegionId, peer: PeerId): RaftConfig =>
  configOf(
    turn.config.raft,
    peer,
    (Math.imul(turn.seed, 0x9e3779b1) ^
      Math.imul(region, 0x85ebca6b) ^
      Math.imul(peer, 0xc2b2ae35)) >>>
      0,
  );
