/**
 * What all clients of recorded transactions share: what they have done, the keys that they meet at,
 * and what the seed lets them do. A key is in use for some writes only, so that lists stay short.
 */
import type { Key } from "../../../engine/base/bytes.ts";
import type { CommittedLook } from "../../checkers/transactions/committed-reads.ts";
import type { Transaction } from "../../checkers/transactions/history.ts";
import type { World } from "../../model.ts";
import { seededDraws } from "../../decisions/decisions.ts";
import { below, pick, type Random } from "../../random.ts";
import { boundOf, type Mix, mixOf } from "../library.ts";

/** What a client does in one transaction. */
export type Errand =
  | "lists"
  | "registers"
  | "set"
  | "fork"
  | "locking skew"
  | "skew"
  | "counter"
  | "insert"
  | "many"
  | "twins"
  | "relapse"
  | "vigil"
  | "snapshot"
  | "instants";

/** Mutable: one for each run. */
export interface Desk {
  readonly world: World;
  readonly mix: Mix;
  readonly boundMs: number | undefined;
  readonly errands: readonly (readonly [weight: number, errand: Errand])[];
  /** Everything that has ended, and how it was told. */
  readonly history: Recorded[];
  /** Reads that were promised to be of what is committed, and no more. */
  readonly looks: CommittedLook[];
  readonly refusals: Refusal[];
  /** What a counter stood at, by the value that it was recorded under. */
  readonly counts: Map<number, number>;
  /** Timestamps that were told to somebody, for reading the past. */
  readonly instants: bigint[];
  /** Every key that anybody has tried to write. */
  readonly keys: Set<string>;
  readonly lists: Pool;
  readonly registers: Pool;
  readonly counters: Pool;
  readonly inserts: Pool;
  readonly sets: Pool;
  readonly forks: Pool;
  readonly skews: Pool;
  readonly lockingSkews: Pool;
  readonly many: Pool;
  readonly twins: Pool;
  readonly relapses: Pool;
  readonly vigils: Pool;
  nextValue: number;
}

export interface Recorded extends Transaction {
  readonly errand: Errand;
  /** How it was committed, and why it failed if it did. */
  readonly how: string;
  readonly reason: string;
}

/** An insert that was refused because the key is there. */
export interface Refusal {
  readonly name: string;
  readonly key: string;
  readonly startTs: bigint;
  readonly end: number;
}

/** Names of which a few are in use at a time, each for a number of writes. Mutable. */
export interface Pool {
  readonly prefix: string;
  readonly limit: number;
  readonly active: { readonly name: string; uses: number }[];
  next: number;
}

export function deskOf(world: World): Desk {
  const random = seededDraws(world.decisions, "desk");
  const weighted = (errand: Errand, usual: number): readonly [number, Errand] => [
    pick(random, [0, usual, 3 * usual]),
    errand,
  ];
  const errands = [
    weighted("lists", 4),
    weighted("registers", 3),
    weighted("set", 2),
    weighted("fork", 2),
    weighted("skew", 2),
    weighted("locking skew", 2),
    weighted("counter", 2),
    weighted("insert", 2),
    weighted("many", 1),
    weighted("snapshot", 2),
    weighted("instants", 1),
    // Drawn by themselves: they came after the others.
    [pick(seededDraws(world.decisions, "desk/twins"), [0, 0, 1, 6]), "twins"],
    [pick(seededDraws(world.decisions, "desk/relapse"), [0, 0, 1, 6]), "relapse"],
    [pick(seededDraws(world.decisions, "desk/vigil"), [0, 0, 0, 2]), "vigil"],
  ] as const;
  const drawn = errands.some(([weight]) => weight > 0);
  const pool = (prefix: string, count: number, limit: number): Pool => {
    const made: Pool = { prefix, limit, active: [], next: 0 };
    for (let i = 0; i < count; i++) made.active.push(nextOf(made));
    return made;
  };
  return {
    world,
    mix: mixOf(random),
    boundMs: boundOf(random),
    errands: drawn ? errands : [[1, "lists"]],
    history: [],
    looks: [],
    refusals: [],
    counts: new Map(),
    instants: [],
    keys: new Set(),
    lists: pool("list", pick(random, [2, 4, 8]), 32),
    registers: pool("register", pick(random, [2, 4, 8]), 64),
    counters: pool("counter", pick(random, [1, 3]), 200),
    inserts: pool("unique", 3, 40),
    sets: pool("set", 1, 40),
    forks: pool("fork", 1, FORK_KEYS),
    skews: pool("skew", 2, 30),
    lockingSkews: pool("locked", 2, 30),
    many: pool("many", 2, 10),
    twins: pool("common", 4, 20),
    relapses: pool("again", 4, 5),
    vigils: pool("watched", 4, 20),
    nextValue: 1,
  };
}

/** Keys that are written together: as many as make resolvers clear a whole region at once. */
export const MANY_KEYS = 18;

/** Keys of one fork, each of which is written once. */
export const FORK_KEYS = 5;

const nextOf = (pool: Pool): { readonly name: string; uses: number } => {
  pool.next += 1;
  return { name: `${pool.prefix}/${String(pool.next).padStart(4, "0")}`, uses: 0 };
};

/** One of the names in use. */
export const nameIn = (pool: Pool, random: Random): string => pick(random, pool.active).name;

/** Notes a write under a name, and gives how many there were; the last one retires it. */
export function noteUse(pool: Pool, name: string): number {
  const at = pool.active.findIndex((one) => one.name === name);
  const entry = pool.active[at];
  if (entry === undefined) return pool.limit;
  entry.uses += 1;
  if (entry.uses >= pool.limit) pool.active[at] = nextOf(pool);
  return entry.uses - 1;
}

/** A number that nobody has written, for a write of `key`. */
export function freshNumber(desk: Desk, key: string): number {
  desk.keys.add(key);
  const value = desk.nextValue;
  desk.nextValue = value + 1;
  return value;
}

/** Where regions are to be split: before some key that is used, or will be. */
export function deskBorder(desk: Desk, random: Random): Key {
  const pools = [desk.lists, desk.registers, desk.sets, desk.skews, desk.counters, desk.inserts];
  const { prefix, next } = pick(random, pools);
  return `${prefix}/${String(1 + below(random, next + 2)).padStart(4, "0")}` as Key;
}
