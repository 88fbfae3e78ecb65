/**
 * Between the waits of this store and the detector of deadlocks, which is the leader of the first
 * region (`transaction/detector.ts`). New waits and those that have ended are told at the end of
 * each step; all that last are told again after a while, and at once to a new detector: whatever
 * was lost, or forgotten with the old one, is known again by that.
 */
import { unreachable } from "../../base/assert.ts";
import { EMPTY_KEY } from "../../base/bytes.ts";
import type { StoreId, Ticket } from "../../base/ids.ts";
import { GetRegionRequest, type GetRegionResponse } from "../../protocol/gen/pdpb.ts";
import { isLeader, leader } from "../../raft/query.ts";
import { peerById, storeIdOf } from "../../region/descriptor.ts";
import type { Wait } from "../../transaction/deadlock.ts";
import {
  confirm,
  type Detector,
  fade,
  type Finding,
  forget,
  forgetAll,
  type Heard,
  hear,
  isIdle,
} from "../../transaction/detector.ts";
import type { DetectorMessage } from "../../transaction/messages.ts";
import { header } from "../header.ts";
import { ask, type StoreTurn } from "../turn.ts";
import { withParts } from "./parts.ts";
import type { Telling } from "./state.ts";
import { lastingWaits, refuseWait } from "./waits.ts";

/** Waits are told again after so long. */
const RETELL_MS = 300;
/** An edge that is not heard of for so long is no wait any more. */
const EDGE_MS = 4 * RETELL_MS;
/** The placement driver is asked again who leads the first region after so long. */
const NAMED_MS = 2 * RETELL_MS;

/** Tells the detector what has changed in this step. */
export function tellWaits(turn: StoreTurn): void {
  if (turn.begun.length === 0 && turn.ended.length === 0) return;
  const begun = turn.begun.splice(0);
  const ended = turn.ended.splice(0);
  const store = detectorStore(turn);
  if (store === undefined) seekDetector(turn);
  else tell(turn, store, begun, ended);
}

/** Time has passed. */
export function tickDetector(turn: StoreTurn): void {
  const { now, transactions } = turn;
  const { detector, telling, waiting } = transactions;
  if (!isIdle(detector)) {
    keep(turn, leadsFirst(turn) ? fade(detector, now.monotonicMs) : forgetAll(detector));
  }
  if (waiting.size === 0) return;
  const store = detectorStore(turn);
  if (store === undefined) {
    seekDetector(turn);
    return;
  }
  const isNew = store !== telling.told;
  if (!isNew && now.monotonicMs - telling.toldAt < RETELL_MS) return;
  // A replica of the first region hears of another leader by itself; whoever has none must ask.
  if (ownWord(turn) === undefined) seekDetector(turn);
  note(turn, { told: store, toldAt: now.monotonicMs });
  const lasting = [...lastingWaits(turn)];
  if (lasting.length > 0) tell(turn, store, lasting, []);
}

/** The store that is believed to lead the first region. */
const detectorStore = (turn: StoreTurn): StoreId | undefined =>
  ownWord(turn) ?? turn.transactions.telling.named;

/** The same, as far as this store's own replica of that region knows. */
function ownWord(turn: StoreTurn): StoreId | undefined {
  const replica = turn.replicas.at(EMPTY_KEY);
  if (replica === undefined) return undefined;
  const id = leader(replica.raft);
  const peer = id === undefined ? undefined : peerById(replica.region, id);
  return peer === undefined ? undefined : storeIdOf(peer);
}

function leadsFirst(turn: StoreTurn): boolean {
  const replica = turn.replicas.at(EMPTY_KEY);
  return replica !== undefined && isLeader(replica.raft);
}

function seekDetector(turn: StoreTurn): void {
  if (turn.registration.type !== "joined") return;
  const { named, namedAt } = turn.transactions.telling;
  if (named !== undefined && turn.now.monotonicMs - namedAt < NAMED_MS) return;
  if (turn.asked.some(({ purpose }) => purpose.type === "detector")) return;
  const request = GetRegionRequest.make({ header: header(turn), regionKey: EMPTY_KEY });
  ask(turn, { type: "detector" }, { method: "GetRegion", request });
}

export function onDetectorNamed(turn: StoreTurn, { leader: peer }: GetRegionResponse): void {
  const named = peer === undefined || peer.storeId === 0 ? undefined : storeIdOf(peer);
  note(turn, { named, namedAt: turn.now.monotonicMs });
}

function tell(
  turn: StoreTurn,
  store: StoreId,
  begun: readonly Wait[],
  ended: readonly Wait[],
): void {
  if (store === turn.store) onWaits(turn, store, begun, ended);
  else send(turn, store, { type: "waits", begun, ended });
}

export function onDetectorMessage(turn: StoreTurn, from: StoreId, message: DetectorMessage): void {
  switch (message.type) {
    case "waits": {
      const { begun, ended } = message;
      const here = ended.map((wait) => ({ ...wait, store: from }));
      onWaits(turn, from, begun, here);
      return;
    }
    case "waits_asked":
      send(turn, from, {
        type: "waits_answered",
        round: message.round,
        numbers: lastingOf(turn, message.numbers),
      });
      return;
    case "waits_answered":
      if (leadsFirst(turn)) onAnswer(turn, from, message.round, message.numbers);
      return;
    case "deadlock":
      refuseWait(turn, message.wait, message.chain);
      return;
    case "no_detector":
      if (turn.transactions.telling.named === from) note(turn, { named: undefined });
      return;
    default:
      unreachable(message);
  }
}

function onWaits(
  turn: StoreTurn,
  from: StoreId,
  begun: readonly Wait[],
  ended: readonly Pick<Wait, "waiter" | "store" | "number">[],
): void {
  if (!leadsFirst(turn)) {
    if (from !== turn.store) send(turn, from, { type: "no_detector" });
    return;
  }
  const known = forget(turn.transactions.detector, ended);
  act(turn, hear(known, begun, turn.now.monotonicMs, EDGE_MS));
}

function onAnswer(turn: StoreTurn, from: StoreId, round: number, lasting: readonly Ticket[]): void {
  const { detector } = turn.transactions;
  act(turn, confirm(detector, from, round, lasting, turn.now.monotonicMs, EDGE_MS));
}

function act(turn: StoreTurn, { detector, findings }: Heard): void {
  keep(turn, detector);
  for (const finding of findings) pursue(turn, finding);
}

function pursue(turn: StoreTurn, finding: Finding): void {
  if (finding.type === "ask") {
    const { store, round, numbers } = finding;
    if (store === turn.store) onAnswer(turn, store, round, lastingOf(turn, numbers));
    else send(turn, store, { type: "waits_asked", round, numbers });
    return;
  }
  const { wait, chain } = finding;
  if (wait.store === turn.store) refuseWait(turn, wait, chain);
  else send(turn, wait.store, { type: "deadlock", wait, chain });
}

function lastingOf(turn: StoreTurn, numbers: readonly Ticket[]): readonly Ticket[] {
  const wanted = new Set(numbers);
  return [...lastingWaits(turn)].map(({ number }) => number).filter((one) => wanted.has(one));
}

const send = (turn: StoreTurn, to: StoreId, message: DetectorMessage): unknown =>
  turn.effects.push({ type: "send", to, message: { type: "detector", message } });

function keep(turn: StoreTurn, detector: Detector): void {
  if (detector === turn.transactions.detector) return;
  turn.transactions = withParts(turn.transactions, { detector });
}

function note(turn: StoreTurn, change: Partial<Telling>): void {
  const { transactions } = turn;
  turn.transactions = withParts(transactions, {
    telling: { ...transactions.telling, ...change },
  });
}
