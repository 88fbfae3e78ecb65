/**
 * Branded identifiers. Each is a plain safe integer (or a string) at run time; the brand keeps a
 * term from being used as an index. The constructor of the same name checks its argument and is
 * for the edges (decoding, configuration); inside, arithmetic helpers keep the brand.
 */
import { assert } from "./assert.ts";

declare const brand: unique symbol;
/** `T`, told apart from every other `T` by a name that exists only in types. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A Raft term. 0 before the first election. */
export type Term = Brand<number, "Term">;
/** A position in a Raft log. The first entry of a fresh group has index 1; 0 is "before it". */
export type LogIndex = Brand<number, "LogIndex">;
/**
 * A member of one Raft group: a region's peer, or a placement driver's member. Never reused; 0 is
 * "none".
 */
export type PeerId = Brand<number, "PeerId">;
/** A store: one process with one data directory. 0 is "none". */
export type StoreId = Brand<number, "StoreId">;
/** A region, which is also the id of its Raft group. 0 is the placement driver's own group. */
export type RegionId = Brand<number, "RegionId">;
/** Names an effect that finishes later. Unique within one machine since it was started. */
export type Ticket = Brand<number, "Ticket">;

export const Term = (value: number): Term => counter(value, "term") as Term;
export const LogIndex = (value: number): LogIndex => counter(value, "index") as LogIndex;
export const PeerId = (value: number): PeerId => counter(value, "peer id") as PeerId;
export const StoreId = (value: number): StoreId => counter(value, "store id") as StoreId;
export const RegionId = (value: number): RegionId => counter(value, "region id") as RegionId;
export const Ticket = (value: number): Ticket => counter(value, "ticket") as Ticket;

export const nextTerm = (term: Term): Term => (term + 1) as Term;
export const nextIndex = (index: LogIndex): LogIndex => (index + 1) as LogIndex;
export const previousIndex = (index: LogIndex): LogIndex => (index - 1) as LogIndex;
export const plusIndex = (index: LogIndex, count: number): LogIndex => (index + count) as LogIndex;
export const maxIndex = (a: LogIndex, b: LogIndex): LogIndex => (a > b ? a : b);
export const minIndex = (a: LogIndex, b: LogIndex): LogIndex => (a < b ? a : b);
export const nextTicket = (ticket: Ticket): Ticket => (ticket + 1) as Ticket;

function counter(value: number, name: string): number {
  assert(Number.isSafeInteger(value) && value >= 0, () => `${name} ${value} is not a safe integer`);
  return value;
}
