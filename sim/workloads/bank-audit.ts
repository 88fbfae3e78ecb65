/**
 * The last client of a run of the bank: clears away what locks are left, writes to every account,
 * reads everything, and finds no lock behind.
 */
import { EMPTY_KEY, type Key } from "../../engine/base/bytes.ts";
import { Backoff } from "../../engine/client/backoff.ts";
import type { Cluster } from "../../engine/client/cluster.ts";
import type { Ports } from "../../engine/client/ports.ts";
import { LockResolver } from "../../engine/client/resolver.ts";
import type { Transaction } from "../../engine/client/transaction.ts";
import { type LockInfo, ScanLockRequest } from "../../engine/protocol/gen/kvrpcpb.ts";
import { keyFailure } from "../../engine/client/key-errors.ts";
import { passed } from "../checkers/verdict.ts";
import type { World } from "../model.ts";
import { asyncClient } from "./async-client.ts";
import type { Audit } from "./audit.ts";
import { accountKey, type Bank, failureOf, libraryOf, look, openBank, PATIENCE } from "./bank.ts";

const RETRY_MS = 500;
/** Locks that one request asks for. */
const LOCKS = 256;

export function bankAudit(world: World, node: number, { ledger }: Bank): Audit {
  const name = "auditor";
  const client = asyncClient(world, node, name, async (ports) => {
    const { cluster, txn } = libraryOf(world, ports);
    const body = async (transaction: Transaction): Promise<void> => {
      for (let account = 0; account < ledger.accounts; account++) {
        const key = accountKey(account);
        const value = await transaction.get(key, PATIENCE);
        if (value !== undefined) await transaction.put(key, value);
      }
    };
    audit.doing = "opens the bank";
    await openBank(world, ports, txn, ledger);
    await clearLocks(ports, cluster, audit);
    audit.doing = "writes to every account";
    await untilItWorks(ports, async () => (await failureOf(txn.transaction(body))) === undefined);
    audit.doing = "reads every entry";
    await untilItWorks(ports, () => look(world, txn, ledger, name, true));
    await clearLocks(ports, cluster, audit);
    passed(world, "leftover locks");
    audit.done = true;
  });
  const audit: Audit = { client, doing: "starts", done: false, seen: new Map() };
  return audit;
}

async function untilItWorks(ports: Ports, attempt: () => Promise<boolean>): Promise<void> {
  while (!(await attempt())) await ports.clock.sleep(RETRY_MS, undefined);
}

/** Resolves all locks, again and again until there are none. */
async function clearLocks(ports: Ports, cluster: Cluster, audit: Audit): Promise<void> {
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

async function locksOf(cluster: Cluster, backoff: Backoff): Promise<readonly LockInfo[]> {
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
