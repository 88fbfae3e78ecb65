/**
 * Configurations as arithmetic (thesis, chapter 4): who belongs, what a change makes of them, and
 * which configuration is in force at a position of the log.
 */
import type { LogIndex, PeerId } from "../base/ids.ts";
import type { Configuration, ConfigurationChange } from "./types.ts";
import { assert } from "../base/assert.ts";

/** The configuration of a member that knows of none yet. */
export const NO_MEMBERS: Configuration = {
  voters: [],
  outgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

/** Whether decisions need two majorities. */
export const isJoint = (configuration: Configuration): boolean => configuration.outgoing.length > 0;

/** Whether `peer` has a say in decisions: an incoming or an outgoing voter. */
export const isVoter = (configuration: Configuration, peer: PeerId): boolean =>
  configuration.voters.includes(peer) || configuration.outgoing.includes(peer);

/** Whether `peer` decides everything alone. */
export const isSoleVoter = (configuration: Configuration, peer: PeerId): boolean =>
  configuration.voters.length === 1 && configuration.voters[0] === peer && !isJoint(configuration);

/** Everyone who gets the log, ascending. */
export function members(configuration: Configuration): readonly PeerId[] {
  const all = new Set([
    ...configuration.voters,
    ...configuration.outgoing,
    ...configuration.learners,
    ...configuration.learnersNext,
  ]);
  return ascending(all);
}

/**
 * What `change` makes of `configuration`; undefined where it may not be made: a peer named twice or
 * changed into what it is already, nobody left to vote, a change other than "leave" on a joint
 * configuration or the reverse.
 */
export function changed(
  configuration: Configuration,
  change: ConfigurationChange,
): Configuration | undefined {
  if (isJoint(configuration)) return change.changes.length === 0 ? left(configuration) : undefined;
  if (change.changes.length === 0) return undefined;
  const voters = new Set(configuration.voters);
  const learners = new Set(configuration.learners);
  const seen = new Set<PeerId>();
  for (const { type, peer } of change.changes) {
    if (peer === 0 || seen.has(peer)) return undefined;
    seen.add(peer);
    const role = voters.has(peer) ? "add_voter" : learners.has(peer) ? "add_learner" : "remove";
    if (role === type) return undefined;
    voters.delete(peer);
    learners.delete(peer);
    if (type === "add_voter") voters.add(peer);
    if (type === "add_learner") learners.add(peer);
  }
  if (voters.size === 0) return undefined;
  // One change touches at most one voter, so the majorities before and after it meet (section 4.1).
  if (change.changes.length === 1) {
    return { ...NO_MEMBERS, voters: ascending(voters), learners: ascending(learners) };
  }
  // An old voter keeps its vote until the joint configuration is left, so it cannot be a learner
  // yet.
  const old = new Set(configuration.voters);
  return {
    voters: ascending(voters),
    outgoing: configuration.voters,
    learners: ascending([...learners].filter((peer) => !old.has(peer))),
    learnersNext: ascending([...learners].filter((peer) => old.has(peer))),
    autoLeave: true,
  };
}

/** The incoming half alone. */
function left(configuration: Configuration): Configuration {
  const learners = [...configuration.learners, ...configuration.learnersNext];
  return { ...NO_MEMBERS, voters: configuration.voters, learners: ascending(learners) };
}

/** A configuration and the entry that brought it. */
export interface Placed {
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

/**
 * All configurations from the base of the log on, oldest first; never empty. The last one is in
 * force, whether it is committed or not; the others are what truncation returns to.
 */
export type History = readonly Placed[];

/** The configuration in force, with its place. */
export function inForce(history: History): Placed {
  assert(history.length > 0, "some configuration is always in force");
  return history[history.length - 1]!;
}

/** The history when the log ends at `last`. */
export function rolledBack(history: History, last: LogIndex): History {
  let count = history.length;
  while (count > 1 && history[count - 1]!.index > last) count -= 1;
  return count === history.length ? history : history.slice(0, count);
}

/** The history when the log begins behind `base`. */
export function forgotten(history: History, base: LogIndex): History {
  let first = 0;
  while (first + 1 < history.length && history[first + 1]!.index <= base) first += 1;
  return first === 0 ? history : history.slice(first);
}

function ascending(peers: Iterable<PeerId>): readonly PeerId[] {
  return [...peers].sort((a, b) => a - b);
}
