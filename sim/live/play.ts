/**
 * A play: a cluster and what somebody does to it, as plain data. The same play is the same course
 * of events, wherever it is played: so it is what people share, and what going back is made of.
 */
import { NETWORKS } from "../knobs.ts";
import type { Deed } from "./deed.ts";
import { isRecord, isWhole, readDeed } from "./read-deed.ts";

/** Raised where old plays would go another way or say something else. */
export const PLAY_VERSION = 1;

/** What a cluster is built of. */
export interface ClusterPlan {
  /** Decides everything that is left open: delays, timeouts, what clients do. */
  readonly seed: number;
  readonly stores: number;
  /** Members of the placement driver. */
  readonly members: number;
  /** Clients that read and write by themselves, beside the console. */
  readonly clients: number;
  /** 0 is the calm network, n the n-th of `NETWORKS`. */
  readonly network: number;
}

/** A deed with the moment at which it is done. */
export interface Action {
  readonly atUs: number;
  /**
   * How many events were over by then: where one instant has several, time alone says too little. A
   * count that is too large, as one written by hand, leaves it to the time.
   */
  readonly after: number;
  readonly deed: Deed;
}

export interface Play {
  readonly cluster: ClusterPlan;
  /** In the order in which they are done. */
  readonly actions: readonly Action[];
}

/** Least and most of everything that a plan says. */
export const LIMITS: Readonly<Record<keyof ClusterPlan, readonly [number, number]>> = {
  seed: [0, Number.MAX_SAFE_INTEGER],
  stores: [1, 7],
  members: [1, 5],
  clients: [0, 5],
  network: [0, NETWORKS.length],
};

export const FIRST_PLAN: ClusterPlan = { seed: 1, stores: 3, members: 1, clients: 2, network: 0 };

/** Most actions of a play that is read. */
const MOST_ACTIONS = 10_000;

/** What was done up to a moment: where another course begins. */
export const playUntil = ({ cluster, actions }: Play, untilUs: number): Play => ({
  cluster,
  actions: actions.filter(({ atUs }) => atUs <= untilUs),
});

/** The play as JSON, for people and addresses. */
export const writePlay = ({ cluster, actions }: Play): string =>
  JSON.stringify({ version: PLAY_VERSION, cluster, actions });

export type ReadPlay =
  { readonly ok: true; readonly play: Play } | { readonly ok: false; readonly problem: string };

/** Reads what `writePlay` wrote. What is wrong with it is said in a line. */
export function readPlay(text: string): ReadPlay {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return wrong(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isRecord(value)) return wrong("a play is an object with version, cluster and actions");
  const { version, cluster, actions } = value as { [Name in string]?: unknown };
  if (version !== PLAY_VERSION) {
    return wrong(`a play of version ${String(version)}, not ${PLAY_VERSION}`);
  }
  const plan = readPlan(cluster);
  if (typeof plan === "string") return wrong(plan);
  if (!Array.isArray(actions) || actions.length > MOST_ACTIONS) {
    return wrong(`actions must be a list of at most ${MOST_ACTIONS}`);
  }
  const read: Action[] = [];
  for (const [i, one] of (actions as unknown[]).entries()) {
    const action = readAction(one, read.at(-1));
    if (typeof action === "string") return wrong(`action ${i + 1}: ${action}`);
    read.push(action);
  }
  return { ok: true, play: { cluster: plan, actions: read } };
}

/** The plan that a value is; what is wrong with it where it is none. */
export function readPlan(value: unknown): ClusterPlan | string {
  if (!isRecord(value)) return "the cluster must be an object";
  for (const [name, [least, most]] of Object.entries(LIMITS)) {
    const number = value[name];
    if (!isWhole(number) || number < least || number > most) {
      return `${name} must be a whole number from ${least} to ${most}, not ${String(number)}`;
    }
  }
  const { seed, stores, members, clients, network } = value as unknown as ClusterPlan;
  if (members % 2 === 0) return `members must be 1, 3 or 5, not ${members}`;
  return { seed, stores, members, clients, network };
}

function readAction(value: unknown, last: Action | undefined): Action | string {
  if (!isRecord(value)) return "must be an object";
  const { atUs, after, deed: said } = value as { [Name in string]?: unknown };
  if (!isWhole(atUs) || atUs < (last?.atUs ?? 0)) return "atUs must be a time that grows";
  if (!isWhole(after) || after < (last?.after ?? 0)) return "after must be a count that grows";
  const deed = readDeed(said);
  return typeof deed === "string" ? deed : { atUs, after, deed };
}

const wrong = (problem: string): ReadPlay => ({ ok: false, problem });
