/**
 * What follows from a list of actions alone: which faults there were and how long they lasted, and
 * what is broken at a moment.
 */
import type { FilmFault } from "../film/film.ts";
import type { NamedLink } from "../faults/targets.ts";
import { type Deed, describeDeed, isOperation } from "./deed.ts";
import type { Action } from "./play.ts";

/** What somebody has done to a machine and not taken back. */
export interface Trouble {
  /** 0 where its clocks run right. */
  readonly millionths: number;
  readonly frozen: boolean;
  /** 1 at its usual speed. */
  readonly slowdown: number;
  readonly full: boolean;
}

export interface Troubles {
  /** `from>to`, by names. */
  readonly cuts: ReadonlySet<string>;
  readonly machines: ReadonlyMap<string, Trouble>;
}

export const NO_TROUBLE: Trouble = { millionths: 0, frozen: false, slowdown: 1, full: false };

export const linkName = ([from, to]: NamedLink): string => `${from}>${to}`;

/** What is broken once all of `actions` up to `timeUs` were done. */
export function troublesAt(actions: readonly Action[], timeUs: number): Troubles {
  const cuts = new Set<string>();
  const machines = new Map<string, Trouble>();
  for (const { atUs, deed } of actions) {
    if (atUs > timeUs) break;
    if (deed.type === "heal") {
      cuts.clear();
      machines.clear();
    } else if (deed.type === "cut") {
      for (const link of deed.links) cuts.add(linkName(link));
    } else if (deed.type === "mend") {
      for (const link of deed.links) cuts.delete(linkName(link));
    } else if ("machine" in deed) {
      const change = changeOf(deed);
      const now = machines.get(deed.machine) ?? NO_TROUBLE;
      if (change !== undefined) machines.set(deed.machine, { ...now, ...change });
    }
  }
  return { cuts, machines };
}

function changeOf(deed: Deed): Partial<Trouble> | undefined {
  switch (deed.type) {
    case "clock_drift":
      return { millionths: deed.millionths };
    case "clock_freeze":
      return { frozen: true };
    case "clock_thaw":
      return { frozen: false };
    case "slow_disk":
      return { slowdown: deed.times };
    case "full_disk":
      return { full: true };
    case "mend_disk":
      return { slowdown: 1, full: false };
    default:
      return undefined;
  }
}

/** Which deed of a machine takes back which. */
const ENDS: Readonly<Partial<Record<Deed["type"], readonly Deed["type"][]>>> = {
  start: ["crash"],
  resume: ["pause"],
  clock_drift: ["clock_drift"],
  clock_thaw: ["clock_freeze"],
  slow_disk: ["slow_disk"],
  mend_disk: ["slow_disk", "full_disk"],
};

/** These begin nothing. */
const MENDING: readonly Deed["type"][] = [
  "start",
  "resume",
  "mend",
  "clock_thaw",
  "mend_disk",
  "heal",
];

type Mark = Omit<FilmFault, "nodes">;

/** The faults that the actions are, for the picture: each lasts until it is taken back. */
export function faultsAfter(actions: readonly Action[]): Mark[] {
  const marks: { mark: Mark; deed: Deed; cut: Set<string> }[] = [];
  const end = (one: (typeof marks)[number], atUs: number): void => {
    if (one.mark.endUs === Infinity) one.mark = { ...one.mark, endUs: atUs };
  };
  for (const { atUs, deed } of actions) {
    for (const one of marks) {
      if (deed.type === "heal") {
        end(one, atUs);
      } else if (deed.type === "mend") {
        for (const link of deed.links) one.cut.delete(linkName(link));
        if (one.deed.type === "cut" && one.cut.size === 0) end(one, atUs);
      } else if ("machine" in deed && "machine" in one.deed) {
        const same = deed.machine === one.deed.machine;
        if (same && ENDS[deed.type]?.includes(one.deed.type) === true) end(one, atUs);
      }
    }
    if (isOperation(deed) || MENDING.includes(deed.type) || isUsual(deed)) continue;
    const momentary = deed.type === "clock_step" || deed.type === "failing_sync";
    const endUs = momentary ? atUs : Infinity;
    const links = deed.type === "cut" ? deed.links : [];
    const mark = { type: deed.type, timeUs: atUs, endUs, text: describeDeed(deed) };
    marks.push({ mark, deed, cut: new Set(links.map(linkName)) });
  }
  return marks.map(({ mark }) => mark);
}

const isUsual = (deed: Deed): boolean =>
  (deed.type === "clock_drift" && deed.millionths === 0) ||
  (deed.type === "slow_disk" && deed.times === 1);
