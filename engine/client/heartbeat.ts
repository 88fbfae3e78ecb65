/**
 * Keeping a pessimistic transaction alive: others may clear its locks away when the primary's has
 * not been prolonged for its time to live.
 */
import type { Key } from "../base/bytes.ts";
import type { Timestamp } from "../base/timestamp.ts";
import { TxnHeartBeatRequest } from "../protocol/gen/kvrpcpb.ts";
import { Backoff } from "./backoff.ts";
import { type Cluster, REPEATABLE } from "./cluster.ts";

export interface Heart {
  readonly startTs: Timestamp;
  /** Locked already. */
  readonly primary: Key;
  readonly everyMs: number;
  /** What to prolong the lock to now, in milliseconds since `startTs`. */
  readonly ttlMs: () => number;
  readonly isOver: () => boolean;
}

/**
 * Prolongs the primary's lock again and again until the transaction is over or the client closed.
 * Never rejects.
 */
export async function keepAlive(cluster: Cluster, heart: Heart): Promise<void> {
  const { clock, log, closed } = cluster.ports;
  for (;;) {
    await clock.sleep(heart.everyMs, undefined);
    if (heart.isOver() || closed?.aborted === true) return;
    try {
      // Rolled back by somebody: the commit will find out.
      if (!(await beat(cluster, heart))) return;
    } catch (error) {
      log?.({ message: "heartbeat failed", because: String(error) });
    }
  }
}

/** Whether the primary's lock is there, and lives on. */
async function beat(cluster: Cluster, heart: Heart): Promise<boolean> {
  const backoff = new Backoff(cluster.ports, heart.everyMs, undefined);
  const { error } = await cluster.send(backoff, heart.primary, REPEATABLE, (context) => ({
    method: "KvTxnHeartBeat",
    request: TxnHeartBeatRequest.make({
      context,
      primaryLock: heart.primary,
      startVersion: heart.startTs,
      adviseLockTtl: heart.ttlMs(),
    }),
  }));
  return error === undefined;
}
