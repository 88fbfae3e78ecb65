/**
 * The timelines of a session. Looking back needs nothing but the chronicle; going on from there
 * with something changed means the same seed again up to that event, then the change, then another
 * timeline: clients are asynchronous functions, whose progress nobody can copy.
 */
import { type Deed, describeDeed, type Operation } from "../live/deed.ts";
import { perform } from "../live/perform.ts";
import type { Chronicle } from "./chronicle.ts";
import type { Session } from "./session.ts";

/** What was done to a run, and after how many events. */
export interface Change {
  readonly event: number;
  readonly deed: Exclude<Deed, Operation>;
}

export interface Branch {
  readonly session: Session;
  readonly changes: readonly Change[];
}

/** Mutable. */
export interface Debugger {
  /** Begins the run anew. */
  readonly open: () => Promise<Session>;
  /** The first one is the run as it is. */
  readonly branches: Branch[];
  current: number;
}

export async function debuggerOf(open: () => Promise<Session>): Promise<Debugger> {
  return { open, branches: [{ session: await open(), changes: [] }], current: 0 };
}

export const branchOf = ({ branches, current }: Debugger): Branch => branches[current] as Branch;

/**
 * Begins a timeline that is the current one up to where one looks, and has `deed` done to it there.
 * False where the run did not repeat itself.
 */
export async function branchOff(debug: Debugger, deed: Change["deed"]): Promise<boolean> {
  const { session: before, changes: earlier } = branchOf(debug);
  const session = await debug.open();
  const changes = earlier.filter(({ event }) => event <= before.at);
  for (const change of changes) {
    await session.reach(change.event);
    perform(session.world, change.deed);
  }
  await session.reach(before.at);
  session.at = before.at;
  const repeated = hashAt(session.chronicle, before.at) === hashAt(before.chronicle, before.at);
  perform(session.world, deed);
  debug.branches.push({ session, changes: [...changes, { event: before.at, deed }] });
  debug.current = debug.branches.length - 1;
  return repeated;
}

const hashAt = ({ lows, highs }: Chronicle, event: number): string =>
  `${highs[event - 1]} ${lows[event - 1]}`;

/** A line for each timeline; the current one is marked. */
export const tellBranches = ({ branches, current }: Debugger): string =>
  branches
    .map(({ changes, session }, i) => {
      const mark = i === current ? "*" : " ";
      const what = changes.map(({ event, deed }) => `#${event} ${describeDeed(deed)}`).join("; ");
      return `${mark} ${i + 1}  at #${session.at}  ${what === "" ? "the run as it is" : what}\n`;
    })
    .join("");
