/** How checkers report: that they have looked, and what is wrong. */
import type { World } from "../model.ts";
import { narrate } from "../trace/trace.ts";

export type CheckName =
  /** The engine's own assertions, and anything else it throws. */
  | "assertions"
  /** A node whose disk kept its promises can open it again. */
  | "recovery"
  /** A store whose log or manifest is damaged does not serve, and says where. */
  | "refused damage"
  /** Clients get answers to what they asked, with values that were written. */
  | "answers"
  | "election safety"
  | "log matching"
  | "state machine safety"
  | "leader completeness"
  | "own-term commits"
  | "monotone state"
  | "kept promises"
  | "one configuration"
  /** Only voters stand for election. */
  | "candidates"
  | "one change at a time"
  /** The region's peers and the configuration that Raft has in force are the same. */
  | "members"
  | "disjoint leases"
  | "equal replicas"
  /** What a store's tables hold is there and whole, as far as nobody damaged it. */
  | "tables"
  | "timestamps"
  | "linearizability"
  | "durability"
  /** Every snapshot of the bank shows whole transfers, and all that were acknowledged before. */
  | "whole transfers"
  /** What was deleted stays deleted, whatever is collected as garbage. */
  | "graves"
  /** Nothing is committed at or below a safe point that has been passed. */
  | "safe points"
  /** A range that was flashed back is what it was, and its past is there. */
  | "flashbacks"
  /** A client that runs prolongs the locks that it has taken. */
  | "heartbeats"
  /** No transaction leaves a lock behind that nobody can clear away. */
  | "leftover locks"
  /** Every acknowledged write is there once, and nothing without an author. */
  | "versions"
  | "isolation by data"
  | "isolation by timestamps"
  /** What is read without isolation was committed, and nobody had seen anything later. */
  | "committed reads"
  /** Transactions that lock whatever they read are serializable. */
  | "locked reads"
  | "counters"
  /** What is refused because it exists did exist. */
  | "inserts"
  /** What all records of all keys say together, and against what clients asked and were told. */
  | "records"
  | "convergence";

export interface Violation {
  readonly check: CheckName;
  readonly timeUs: number;
  /** What is wrong, in words. */
  readonly text: string;
  /** More for who looks for the cause, as a stack. Not part of the trace. */
  readonly detail: string | undefined;
}

/** Notes that a check has looked and found nothing wrong. */
export function passed(world: World, check: CheckName, times = 1): void {
  const { looks } = world.checks;
  looks.set(check, (looks.get(check) ?? 0) + times);
}

/** Notes a violation. The first one stays; the loop ends after the event that led to it. */
export function violated(world: World, check: CheckName, text: string, detail?: string): void {
  if (world.checks.violation !== undefined) return;
  world.checks.violation = { check, timeUs: world.timeUs, text, detail };
  narrate(world.trace, world.timeUs, "check", `${check} is violated: ${text}`);
}
