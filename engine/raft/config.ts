/** The settings of one member, made of what all members share. */
import type { PeerId } from "../base/ids.ts";
import type { RaftConfig } from "./types.ts";

/** What the members of a group have in common. */
export type SharedConfig = Omit<RaftConfig, "id" | "seed">;

/**
 * Field by field: objects made by one literal have one shape. A copy by spread may get a shape of
 * its own, and each look at a setting is then slow for all members.
 */
export const configOf = (shared: SharedConfig, id: PeerId, seed: number): RaftConfig => ({
  id,
  seed,
  heartbeatMs: shared.heartbeatMs,
  electionMs: shared.electionMs,
  leaseMs: shared.leaseMs,
  preVote: shared.preVote,
  checkQuorum: shared.checkQuorum,
  priority: shared.priority,
  maxAppendBytes: shared.maxAppendBytes,
  maxApplyBytes: shared.maxApplyBytes,
  maxInflightMessages: shared.maxInflightMessages,
  maxInflightBytes: shared.maxInflightBytes,
  maxUncommittedBytes: shared.maxUncommittedBytes,
});
