/** Members of groups that are gone for good, and why. */
import type { Group, Member } from "../checkers/group.ts";
import { nameOf } from "../checkers/group.ts";
import { seconds } from "../trace/trace.ts";

/** Something that a server has lost for good. */
export interface Loss {
  readonly timeUs: number;
  /** Lives of the server up to this one have lost what they had. */
  readonly incarnation: number;
  /** In words, as in `its disk was lost`. */
  readonly why: string;
}

/** Why a member is gone, or undefined where it is not, or nobody can say. */
export function goneBecause({ machine, incarnation }: Member): string | undefined {
  const loss = machine.losses.find((one) => incarnation <= one.incarnation);
  return loss === undefined ? undefined : `${loss.why} at ${seconds(loss.timeUs)}`;
}

/** The members in words, each with what became of it. */
export const obituaries = (group: Group, members: readonly Member[]): string =>
  members.map((member) => `${nameOf(group, member)} (${goneBecause(member)})`).join(", ");
