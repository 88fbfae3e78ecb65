/**
 * Majorities, joint or not, as arithmetic: what does the group know when each voter knows this
 * much?
 */
import type { PeerId } from "../base/ids.ts";
import type { Configuration } from "./types.ts";

/**
 * The largest value that a majority of `voters` has reached. Infinite for no voters, who have no
 * say.
 */
export function majorityValue(
  voters: readonly PeerId[],
  valueOf: (voter: PeerId) => number,
): number {
  const count = voters.length;
  if (count === 0) return Number.POSITIVE_INFINITY;
  if (count === 1) return valueOf(voters[0]!);
  const values: number[] = [];
  for (let i = 0; i < count; i++) {
    // Insertion sort, largest first: groups are small.
    const value = valueOf(voters[i]!);
    let at = i;
    while (at > 0 && values[at - 1]! < value) {
      values[at] = values[at - 1]!;
      at -= 1;
    }
    values[at] = value;
  }
  return values[count >> 1]!;
}

/**
 * The largest value that a quorum has reached: a majority of the voters and, while joint, of the
 * outgoing voters.
 */
export function quorumValue(
  configuration: Configuration,
  valueOf: (voter: PeerId) => number,
): number {
  const incoming = majorityValue(configuration.voters, valueOf);
  if (configuration.outgoing.length === 0) return incoming;
  return Math.min(incoming, majorityValue(configuration.outgoing, valueOf));
}

/** A vote cast in the current election. */
export interface Vote {
  readonly voter: PeerId;
  readonly granted: boolean;
}

/** `lost` means that no answer still to come can change it. */
export type Tally = "won" | "lost" | "pending";

/** How the election stands under `configuration`. */
export function tally(configuration: Configuration, votes: readonly Vote[]): Tally {
  const granted = quorumValue(configuration, (voter) => (answer(votes, voter) === true ? 1 : 0));
  if (granted >= 1) return "won";
  const possible = quorumValue(configuration, (voter) => (answer(votes, voter) === false ? 0 : 1));
  return possible >= 1 ? "pending" : "lost";
}

function answer(votes: readonly Vote[], voter: PeerId): boolean | undefined {
  for (const vote of votes) if (vote.voter === voter) return vote.granted;
  return undefined;
}
