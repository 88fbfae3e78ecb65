/**
 * One configuration: a group's configuration is a function of the log. Members that have the entry
 * (index, term) which set it agree on what it says.
 */
import type { RaftState } from "../../engine/raft/state.ts";
import type { Configuration } from "../../engine/raft/types.ts";
import type { World } from "../model.ts";
import type { Group, Member } from "./group.ts";
import { termAt } from "../../engine/raft/log.ts";
import { passed, violated } from "./verdict.ts";
import { entryKey, nameOf } from "./group.ts";

export function checkConfiguration(
  world: World,
  group: Group,
  member: Member,
  before: RaftState | undefined,
  raft: RaftState,
): void {
  if (before !== undefined && before.history === raft.history) return;
  for (const { index, configuration } of raft.history) {
    const term = termAt(raft.log, index);
    // A base configuration may be older than the log: nothing to compare it by.
    if (term === undefined || index <= raft.log.base) continue;
    passed(world, "one configuration");
    const words = inWords(configuration);
    const key = entryKey(index, term);
    const known = group.configurations.get(key);
    if (known === undefined) {
      group.configurations.set(key, words);
    } else if (known !== words) {
      violated(
        world,
        "one configuration",
        `${nameOf(group, member)} takes entry ${index} of term ${term} for ${words}; ` +
          `another member takes it for ${known}`,
      );
      return;
    }
  }
}

const inWords = (configuration: Configuration): string =>
  `voters ${configuration.voters.join(" ")}, outgoing ${configuration.outgoing.join(" ") || "none"}, ` +
  `learners ${configuration.learners.join(" ") || "none"}`;
