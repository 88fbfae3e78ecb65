/**
 * What stores say to each other about waits, as tuples for the codec of store messages.
 *
 *   waits           [0, [wait, …], [[waiter, number], …]]      begun or lasting, then ended
 *   waits_asked     [1, round, [number, …]]
 *   waits_answered  [2, round, [number, …]]                    those that last
 *   deadlock        [3, wait, [wait, …]]
 *   no_detector     [4]
 *   wait            [waiter, holder, key, tag, store, number]
 *
 * Timestamps are bigints, keys one-byte strings.
 */
import { unreachable } from "../base/assert.ts";
import type { Key } from "../base/bytes.ts";
import type { StoreId, Ticket } from "../base/ids.ts";
import {
  expectBytes,
  expectCount,
  expectKeyText,
  expectList,
  expectTimestamp,
  expectTuple,
  malformed,
} from "../base/wire.ts";
import type { Wait } from "./deadlock.ts";

export type DetectorMessage =
  /** To the detector: these wait at the sender, those do not any more. */
  | { readonly type: "waits"; readonly begun: readonly Wait[]; readonly ended: readonly Ended[] }
  /** From the detector: do these still wait? */
  | { readonly type: "waits_asked"; readonly round: number; readonly numbers: readonly Ticket[] }
  /** To the detector: those of the ones asked about that do. */
  | { readonly type: "waits_answered"; readonly round: number; readonly numbers: readonly Ticket[] }
  /** From the detector: `wait` closes a circle that `chain` leads back through. */
  | { readonly type: "deadlock"; readonly wait: Wait; readonly chain: readonly Wait[] }
  /** The sender does not lead the first region. */
  | { readonly type: "no_detector" };

/** A wait at the sender that is over. */
export type Ended = Pick<Wait, "waiter" | "number">;

export function detectorToTuple(m: DetectorMessage): readonly unknown[] {
  switch (m.type) {
    case "waits":
      return [0, m.begun.map(waitToTuple), m.ended.map((wait) => [wait.waiter, wait.number])];
    case "waits_asked":
      return [1, m.round, m.numbers];
    case "waits_answered":
      return [2, m.round, m.numbers];
    case "deadlock":
      return [3, waitToTuple(m.wait), m.chain.map(waitToTuple)];
    case "no_detector":
      return [4];
    default:
      return unreachable(m);
  }
}

const waitToTuple = ({ waiter, holder, key, tag, store, number }: Wait): readonly unknown[] => [
  waiter,
  holder,
  key,
  tag,
  store,
  number,
];

/** For use within `decodeWith`. What is kept of it is copied. */
export function detectorFromTuple(value: unknown): DetectorMessage {
  if (!Array.isArray(value)) return malformed("a message about waits is a tuple");
  const t = value as readonly unknown[];
  switch (t[0]) {
    case 0:
      return {
        type: "waits",
        begun: expectList(t[1], waitFromTuple, "waits"),
        ended: expectList(t[2], endedFromTuple, "ended waits"),
      };
    case 1:
    case 2: {
      const round = expectCount(t[1], "round");
      const numbers = expectList(t[2], expectCount, "numbers") as unknown as readonly Ticket[];
      return { type: t[0] === 1 ? "waits_asked" : "waits_answered", round, numbers };
    }
    case 3: {
      const wait = waitFromTuple(t[1], "wait");
      return { type: "deadlock", wait, chain: expectList(t[2], waitFromTuple, "chain") };
    }
    case 4:
      return { type: "no_detector" };
    default:
      return malformed("no such message about waits");
  }
}

function waitFromTuple(value: unknown, what: string): Wait {
  const [waiter, holder, key, tag, store, number] = expectTuple(value, 6, what);
  return {
    waiter: expectTimestamp(waiter, "waiter"),
    holder: expectTimestamp(holder, "holder"),
    key: expectKeyText(key, "key") satisfies Key,
    tag: expectBytes(tag, "tag").slice(),
    store: expectCount(store, "store") as StoreId,
    number: expectCount(number, "number") as Ticket,
  };
}

function endedFromTuple(value: unknown, what: string): Ended {
  const [waiter, number] = expectTuple(value, 2, what);
  return {
    waiter: expectTimestamp(waiter, "waiter"),
    number: expectCount(number, "number") as Ticket,
  };
}
