/**
 * Clears locks away as TiDB's collector does: it scans for them, asks for the fate of each
 * transaction, and has regions resolve the locks of many transactions at once.
 */
import { EMPTY_KEY, type Key } from "../../engine/base/bytes.ts";
import type { Timestamp } from "../../engine/base/timestamp.ts";
import { Backoff } from "../../engine/client/backoff.ts";
import type { Cluster } from "../../engine/client/cluster.ts";
import { keyFailure } from "../../engine/client/key-errors.ts";
import {
  Action,
  CheckTxnStatusRequest,
  type LockInfo,
  ResolveLockRequest,
  TxnInfo,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import type { Client, World } from "../model.ts";
import { seededDraws } from "../decisions/decisions.ts";
import { pick } from "../random.ts";
import { asyncClient } from "./async-client.ts";
import { countOutcome } from "./history.ts";
import { locksOf } from "./leftovers.ts";
import { failureOf, libraryOf, PATIENCE } from "./library.ts";

/** How often, in milliseconds on average. Whoever scans for locks also holds commits back. */
const EVERY_MS = [300, 2000, 10_000];
const REPEATABLE = { timeoutMs: PATIENCE.timeoutMs, repeatable: true } as const;

export function broomClient(world: World, node: number, name: string): Client {
  const everyMs = pick(seededDraws(world.decisions, `client/${name}`), EVERY_MS);
  return asyncClient(world, node, name, async (ports, operate) => {
    const { cluster } = libraryOf(world, ports);
    await operate(everyMs * 1000, async () => {
      const backoff = new Backoff(ports, PATIENCE.timeoutMs, undefined);
      const failure = await failureOf(sweepLocks(cluster, backoff));
      countOutcome(world.checks.history, "sweep locks", failure === undefined ? "ok" : "refused");
    });
  });
}

async function sweepLocks(cluster: Cluster, backoff: Backoff): Promise<void> {
  const locks = await locksOf(cluster, backoff);
  const now = await cluster.placement.timestamp(backoff);
  const fates = new Map<bigint, bigint | undefined>();
  for (const lock of locks) {
    const { lockVersion } = lock;
    if (!fates.has(lockVersion)) {
      fates.set(lockVersion, await commitOf(cluster, backoff, lock, now));
    }
  }
  const txnInfos = [...fates].flatMap(([txn, status]) =>
    status === undefined ? [] : [TxnInfo.make({ txn, status })],
  );
  let startKey: Key = EMPTY_KEY;
  while (txnInfos.length > 0) {
    const located = await cluster.locate(backoff, startKey);
    const sent = await cluster.sendTo(backoff, located, REPEATABLE, (context) => ({
      method: "KvResolveLock",
      request: ResolveLockRequest.make({ context, txnInfos }),
    }));
    if (sent.type === "moved") continue;
    if (sent.response.error !== undefined) throw keyFailure(sent.response.error);
    if (located.end === EMPTY_KEY) return;
    startKey = located.end;
  }
}

/** When the lock's transaction committed; 0: it is rolled back; undefined: it may live. */
async function commitOf(
  cluster: Cluster,
  backoff: Backoff,
  { primaryLock, lockVersion }: LockInfo,
  currentTs: Timestamp,
): Promise<bigint | undefined> {
  const response = await cluster.send(backoff, primaryLock, REPEATABLE, (context) => ({
    method: "KvCheckTxnStatus",
    request: CheckTxnStatusRequest.make({
      context,
      primaryKey: primaryLock,
      lockTs: lockVersion,
      currentTs,
      verifyIsPrimary: true,
    }),
  }));
  const { error, commitVersion, lockTtl, action } = response;
  // Its first lock may still be on its way.
  if (error !== undefined) return undefined;
  if (commitVersion > 0n) return commitVersion;
  const isOver = action === Action.NoAction || action === Action.TTLExpireRollback;
  return lockTtl === 0 && isOver ? 0n : undefined;
}
