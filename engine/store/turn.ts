/**
 * One step of a store while it is taken (see `turn-ends.ts` for how it begins and ends).
 */
import { nextTicket, type RegionId, type Ticket } from "../base/ids.ts";
import type { PdCall } from "../protocol/services.ts";
import type { ReadCall } from "../region/replica.ts";
import type { RawProposal } from "../region/propose.ts";
import type { Turn } from "../region/turn.ts";
import type { StorageEffect } from "../storage/types.ts";
import type { Wait } from "../transaction/deadlock.ts";
import type { Verdict } from "./throttle.ts";
import type { Asked, Durability, FileWrite, Purpose, Registration, StoreState } from "./state.ts";
import type { Transactions } from "./transactions/state.ts";
import type { Batch } from "./transactions/batch.ts";
import type { StoreEffect, StoreTrouble } from "./types.ts";

/** The store's own side of a turn. Fields that are not readonly become the next state's. */
export interface StoreTurn extends Turn {
  readonly effects: StoreEffect[];
  readonly before: StoreState;
  /** Writes and unconfirmed reads of this step, by region: each region takes its own in one go. */
  writes: Map<RegionId, RawProposal[]> | undefined;
  reads: Map<RegionId, ReadCall[]> | undefined;
  transactions: Transactions;
  collection: StoreState["collection"];
  /** What transactional writes of this step come to, by region. */
  batches: Map<RegionId, Batch> | undefined;
  /** Waits for locks that have begun or ended in this step. */
  readonly begun: Wait[];
  readonly ended: Wait[];
  registration: Registration;
  identity: StoreState["identity"];
  storage: StoreState["storage"];
  /** What the storage has said and nobody has handled yet. */
  readonly heard: StorageEffect[];
  /** Tables whose files go with this step. */
  readonly removed: number[];
  lastTicket: Ticket;
  durability: readonly Durability[];
  fileWrites: readonly FileWrite[];
  line: StoreState["line"];
  lineBytes: number;
  bucket: StoreState["bucket"];
  raftBytes: number;
  freeBytes: number;
  retryAt: number;
  complainedAt: number;
  /** What is to be done with writes in this step, once somebody has asked. */
  verdict: Verdict | undefined;
  asked: readonly Asked[];
  loggedBytes: number;
  rest: StoreState["rest"];
  opened: boolean;
  heartbeatAt: number;
  trouble: StoreTrouble | undefined;
}

export function takeTicket(turn: StoreTurn): Ticket {
  const ticket = turn.lastTicket;
  turn.lastTicket = nextTicket(ticket);
  return ticket;
}

/** Asks the placement driver; the answer comes back with its purpose. */
export function ask(turn: StoreTurn, purpose: Purpose, call: PdCall): void {
  const ticket = takeTicket(turn);
  turn.asked = [...turn.asked, { ticket, at: turn.now.monotonicMs, purpose }];
  turn.effects.push({ type: "ask_placement", ticket, call });
}
