/**
 * One configuration: what is in force is a function of the log. Members that have the entry (index,
 * term) which set a configuration agree on what it says; the entries of a log that set one are
 * exactly those that the member goes by, after every step, truncation and start; and what a member
 * begins with behind its log, from a snapshot or from its disk, is what was committed there.
 */
import type { LogIndex } from "../../engine/base/ids.ts";
import type { Placed } from "../../engine/raft/configuration.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import type { Configuration } from "../../engine/raft/types.ts";
import type { World } from "../model.ts";
import type { Group, Member } from "./group.ts";
import { entryAt, type Log, termAt } from "../../engine/raft/log.ts";
import { passed, violated } from "./verdict.ts";
import { entryKey, nameOf } from "./group.ts";

export function checkConfiguration(
  world: World,
  group: Group,
  member: Member,
  before: RaftState | undefined,
  raft: RaftState,
): void {
  const isSame = before !== undefined && before.history === raft.history;
  if (isSame && before.log === raft.log && before.commit === raft.commit) return;
  const problem =
    stranger(raft) ??
    ignored(raft, isSame ? before.log.last : 0) ??
    (isSame ? undefined : (disagreement(world, group, raft) ?? wrongBase(world, group, raft)));
  if (problem !== undefined) {
    violated(world, "one configuration", `${nameOf(group, member)} ${problem}`);
    return;
  }
  settle(group, raft);
}

/** Two members that take an entry for different configurations. */
function disagreement(world: World, group: Group, raft: RaftState): string | undefined {
  for (const { index, configuration } of raft.history) {
    const term = termAt(raft.log, index);
    // What lies behind the log is compared by what was committed there.
    if (term === undefined || index <= raft.log.base) continue;
    passed(world, "one configuration");
    const words = inWords(configuration);
    const key = entryKey(index, term);
    const known = group.configurations.get(key);
    if (known === undefined) {
      group.configurations.set(key, words);
    } else if (known !== words) {
      return (
        `takes entry ${index} of term ${term} for ${words}; ` +
        `another member takes it for ${known}`
      );
    }
  }
  return undefined;
}

/** A beginning that is not what was committed up to there. */
function wrongBase(world: World, group: Group, raft: RaftState): string | undefined {
  const { index, configuration } = raft.history[0] as Placed;
  const known = group.settled.findLast((settled) => settled.index <= index);
  // Whoever has no data yet knows of nobody.
  if (known === undefined || configuration.voters.length === 0) return undefined;
  passed(world, "one configuration");
  const words = inWords(configuration);
  if (words === known.words) return undefined;
  return `begins behind entry ${index} with ${words}; committed there is ${known.words}`;
}

/** A configuration that the member goes by, and whose entry is not in its log. */
function stranger({ history, log }: RaftState): string | undefined {
  for (let i = 1; i < history.length; i++) {
    const { index } = history[i] as Placed;
    if (isChange(log, index)) continue;
    return `goes by a configuration of entry ${index}, which is none of its log`;
  }
  return undefined;
}

/** The reverse, for entries behind `seen`. */
function ignored({ history, log }: RaftState, seen: number): string | undefined {
  const first = Math.max(log.base, (history[0] as Placed).index, seen) + 1;
  for (let index = first; index <= log.last; index++) {
    if (!isChange(log, index) || history.some((placed) => placed.index === index)) continue;
    return `does not go by the configuration of entry ${index}, which is in its log`;
  }
  return undefined;
}

const isChange = (log: Log, index: number): boolean =>
  index > log.base && index <= log.last && entryAt(log, index as LogIndex).type === "configuration";

/** Takes down what is committed, in the order of the log. */
function settle({ settled }: Group, { history, commit }: RaftState): void {
  for (const [i, { index, configuration }] of history.entries()) {
    const last = settled.at(-1);
    if (index > commit || (last !== undefined && index <= last.index)) continue;
    // The first may stand behind the entry that set it; after that entry was seen it says no more.
    if (configuration.voters.length === 0 || (i === 0 && last !== undefined)) continue;
    settled.push({ index, words: inWords(configuration) });
  }
}

export const inWords = (configuration: Configuration): string =>
  `voters ${configuration.voters.join(" ")}, outgoing ${listed(configuration.outgoing)}, ` +
  `learners ${listed(configuration.learners)}, to be learners ${listed(configuration.learnersNext)}`;

const listed = (peers: readonly number[]): string => peers.join(" ") || "none";
