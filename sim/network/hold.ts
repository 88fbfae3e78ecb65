/**
 * Holding back one type of message for longer than the protocol's timeouts, then delivering it zero
 * to three times. Random delays seldom keep one message behind a thousand others; these do.
 */
import type { Random } from "../random.ts";
import type { Latency } from "./latency.ts";
import type { Packet } from "./network.ts";
import { below, chance } from "../random.ts";
import { draw } from "./latency.ts";

export interface Hold {
  /** The message type, as in `raft append_request`; or a beginning of it. */
  readonly messageType: string;
  /** Sender and receiver, where only one link is meant. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** How many of the matching messages are held, in millionths. */
  readonly millionths: number;
  readonly delay: Latency;
  /** Most copies delivered in the end: each message gets 0 to this many. */
  readonly maxCopies: number;
  /** Calls too: only where their own protocol says that they may come again. */
  readonly repeatsCalls: boolean;
}

/**
 * No message is held for longer: whoever waits at the end of a run for the last of them would wait
 * for minutes, as one in some thousand draws of a heavy tail is that long.
 */
const MOST_US = 20_000_000;

export const matches = (hold: Hold, packet: Packet): boolean =>
  packet.type.name.startsWith(hold.messageType) &&
  (hold.from === undefined || hold.from === packet.from) &&
  (hold.to === undefined || hold.to === packet.to);

/** Draws whether this message is held; if so appends how late its copies come. */
export function applyHold(hold: Hold, random: Random, once: boolean, delays: number[]): boolean {
  if (!chance(random, hold.millionths)) return false;
  const most = once && !hold.repeatsCalls ? Math.min(1, hold.maxCopies) : hold.maxCopies;
  const count = below(random, most + 1);
  for (let i = 0; i < count; i++) delays.push(Math.min(MOST_US, draw(hold.delay, random)));
  return true;
}
