/** What every auditor of transactions does: wait for things to work, and clear away locks. */
import { EMPTY_KEY, type Key } from "../../engine/base/bytes.ts";
import { Backoff } from "../../engine/client/backoff.ts";
import type { Cluster } from "../../engine/client/cluster.ts";
import { keyFailure } from "../../engine/client/key-errors.ts";
import type { Ports } from "../../engine/client/ports.ts";
import { LockResolver } from "../../engine/client/resolver.ts";
import { type LockInfo, ScanLockRequest } from "../../engine/protocol/gen/kvrpcpb.ts";
import type { World } from "../model.ts";
import type { Audit } from "./audit.ts";
import { failureOf, PATIENCE } from "./library.ts";

const RETRY_MS = 500;
/** Locks that one request asks for. */
const LOCKS = 256;

/** Attempts something until it says that it worked. */
export async function untilItWorks(ports: Ports, attempt: () => Promise<boolean>): Promise<void> {
  while (!(await attempt())) await ports.clock.sleep(RETRY_MS, undefined);
}

/**
 * Resolves all locks, again and again until there are none, and none can come: a prewrite of a
 * transaction that nobody has heard of may still be on its way.
 */
export async function clearLocks(
  world: World,
  ports: Ports,
  cluster: Cluster,
  audit: Audit,
): Promise<void> {
  await clearThose(ports, cluster, audit);
  const { heldUntilUs } = world.network;
  if (world.timeUs > heldUntilUs) return;
  audit.doing = "waits for what was held back";
  await ports.clock.sleep((heldUntilUs - world.timeUs) / 1000 + RETRY_MS, undefined);
  await clearThose(ports, cluster, audit);
}

async function clearThose(ports: Ports, cluster: Cluster, audit: Audit): Promise<void> {
  const resolver = new LockResolver(cluster);
  await untilItWorks(ports, async () => {
    const backoff = new Backoff(ports, PATIENCE.timeoutMs, undefined);
    let left: readonly LockInfo[] = [];
    const failure = await failureOf(
      (async (): Promise<void> => {
        left = await locksOf(cluster, backoff);
        const now = await cluster.placement.timestamp(backoff);
        await resolver.resolve(backoff, left, now);
      })(),
    );
    const held = left.map(({ key, lockVersion }) => `${key} by ${lockVersion}`).join(", ");
    audit.doing = `clears locks away: ${failure?.message ?? held}`;
    return failure === undefined && left.length === 0;
  });
}

/** All locks that there are now. */
export async function locksOf(cluster: Cluster, backoff: Backoff): Promise<readonly LockInfo[]> {
  const locks: LockInfo[] = [];
  let startKey: Key = EMPTY_KEY;
  const maxVersion = await cluster.placement.timestamp(backoff);
  for (;;) {
    const located = await cluster.locate(backoff, startKey);
    const endKey = located.end;
    const sent = await cluster.sendTo(
      backoff,
      located,
      { ...PATIENCE, repeatable: true },
      (context) => ({
        method: "KvScanLock",
        request: ScanLockRequest.make({ context, maxVersion, startKey, endKey, limit: LOCKS }),
      }),
    );
    if (sent.type === "moved") continue;
    if (sent.response.error !== undefined) throw keyFailure(sent.response.error);
    locks.push(...sent.response.locks);
    if (endKey === EMPTY_KEY || sent.response.locks.length >= LOCKS) return locks;
    startKey = endKey;
  }
}
