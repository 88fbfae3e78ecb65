/**
 * Which messages a seed holds back: one type, often on one link, for longer than the timeouts; of
 * transactions also for longer than their locks live.
 */
import type { World } from "../model.ts";
import type { Hold } from "../network/hold.ts";
import type { Random } from "../random.ts";
import type { Fault } from "../scenario.ts";
import type { Struck } from "./strike.ts";
import { chance, pick } from "../random.ts";
import { machineCalled } from "./targets.ts";

/** Only messages from one server are held, where `sender` names one. */
export type HoldStrike = Omit<Hold, "from" | "to"> & {
  readonly type: "hold";
  readonly sender?: string;
};

export const TYPES: readonly string[] = [
  "vote_request",
  "vote_response",
  "append_request",
  "append_response",
  "heartbeat_request",
  "heartbeat_response",
  "snapshot",
  "read_index_request",
  "read_index_response",
  "timeout_now",
  "call Raw",
  "answer Raw",
  "call RegionHeartbeat",
  "call ",
];

export const TRANSACTIONAL: readonly string[] = [
  "call KvPrewrite",
  "answer KvPrewrite",
  "call KvCommit",
  "answer KvCommit",
  "call KvPessimisticLock",
  "answer KvPessimisticLock",
  "call KvBatchRollback",
  "call KVPessimisticRollback",
  "call KvCheckTxnStatus",
  "call KvResolveLock",
  "call KvTxnHeartBeat",
  "call Kv",
  "answer Kv",
  "call Tso",
  "answer Tso",
];

/** Locks live three seconds at least (`engine/client/transaction.ts`). */
const BEYOND_LOCKS = [
  { type: "uniform", lowUs: 500_000, highUs: 4_000_000 },
  { type: "uniform", lowUs: 3_000_000, highUs: 12_000_000 },
] as const;

export function drawTransactionalHold(
  { kinds = TRANSACTIONAL }: Extract<Fault, { type: "hold_transactions" }>,
  random: Random,
): HoldStrike {
  return {
    type: "hold",
    messageType: pick(random, kinds),
    millionths: pick(random, [50_000, 200_000, 600_000]),
    delay: pick(random, BEYOND_LOCKS),
    maxCopies: pick(random, [1, 1, 2, 3]),
    repeatsCalls: true,
  };
}

const DELAYS = [
  { type: "uniform", lowUs: 10_000, highUs: 2_000_000 },
  { type: "heavy_tail", minUs: 50_000, scaleUs: 300_000 },
] as const;

/** For messages that are held on purpose: until elections, and changes of members, are over. */
const LONG_DELAYS = [...DELAYS, { type: "uniform", lowUs: 1_000_000, highUs: 6_000_000 }] as const;

export function drawHold(
  world: World,
  { types = TYPES }: Extract<Fault, { type: "hold" }>,
  random: Random,
): HoldStrike {
  const oneSender = chance(random, 500_000);
  return {
    type: "hold",
    messageType: pick(random, types),
    ...(oneSender ? { sender: pick(random, world.servers).name } : {}),
    millionths: pick(random, [50_000, 300_000, 1_000_000]),
    delay: pick(random, types === TYPES ? DELAYS : LONG_DELAYS),
    maxCopies: pick(random, [1, 1, 2, 3]),
    repeatsCalls: false,
  };
}

export function hold(world: World, strike: HoldStrike): Struck | undefined {
  const { sender, messageType, millionths, delay, maxCopies, repeatsCalls } = strike;
  const from = sender === undefined ? undefined : machineCalled(world, sender)?.node;
  if (sender !== undefined && from === undefined) return undefined;
  const { network } = world;
  const held: Hold = {
    messageType,
    from,
    to: undefined,
    millionths,
    delay,
    maxCopies,
    repeatsCalls,
  };
  network.holds = [...network.holds, held];
  const end = (): void => {
    network.holds = network.holds.filter((other) => other !== held);
  };
  return { end };
}
