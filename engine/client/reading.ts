/**
 * Which replicas of a region are asked to read: its leader, or others that spare it the work. What
 * others cannot answer the leader is asked for.
 */
import type { Peer, Region } from "../protocol/gen/metapb.ts";
import { PeerRole } from "../protocol/gen/metapb.ts";
import type { Random } from "./ports.ts";
import type { Route } from "./regions.ts";

/** Options of a snapshot. */
export interface ReplicaOptions {
  /**
   * Who answers: the leader; any replica but the leader, after asking it how far it must have
   * come; or any at all. Where it is not given the leader, for `staleRead` any.
   */
  readonly replicaRead?: "leader" | "follower" | "any";
  /**
   * Replicas answer from what they have, without asking the leader, if they know that nothing at or
   * below the snapshot's timestamp can change any more. Of use for timestamps some time past.
   */
  readonly staleRead?: boolean;
}

/** The same, decided. */
export interface ReadFrom {
  readonly replica: "leader" | "follower" | "any";
  readonly stale: boolean;
}

/** Undefined where the leader reads as it always does. */
export function readFromOf({ replicaRead, staleRead }: ReplicaOptions): ReadFrom | undefined {
  const stale = staleRead === true;
  const replica = replicaRead ?? (stale ? "any" : "leader");
  return replica === "leader" && !stale ? undefined : { replica, stale };
}

/** The member of the region that is asked. */
export function readerOf({ region, peer }: Route, { replica }: ReadFrom, random: Random): Peer {
  if (replica === "leader") return peer;
  const readers = membersOf(region).filter(({ id }) => replica === "any" || id !== peer.id);
  return readers[Math.floor(random.next() * readers.length)] ?? peer;
}

/** A learner may have next to nothing yet; a witness never has anything. */
const membersOf = ({ peers }: Region): readonly Peer[] =>
  peers.filter(({ role, isWitness }) => role !== PeerRole.Learner && !isWitness);
