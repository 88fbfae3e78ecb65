/**
 * The last client of a run of the bank: clears away what locks are left, writes to every account,
 * reads everything, and finds no lock behind.
 */
import type { Transaction } from "../../engine/client/transaction.ts";
import { passed } from "../checkers/verdict.ts";
import type { World } from "../model.ts";
import { asyncClient } from "./async-client.ts";
import type { Audit } from "./audit.ts";
import { accountKey, type Bank, look, openBank } from "./bank.ts";
import { clearLocks, untilItWorks } from "./leftovers.ts";
import { failureOf, libraryOf, PATIENCE } from "./library.ts";

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
    await clearLocks(world, ports, cluster, audit);
    audit.doing = "writes to every account";
    await untilItWorks(ports, async () => (await failureOf(txn.transaction(body))) === undefined);
    audit.doing = "reads every entry";
    await untilItWorks(ports, async () => {
      const how = { whole: true, from: {}, at: undefined };
      return (await look(world, txn, ledger, name, how)) !== undefined;
    });
    await clearLocks(world, ports, cluster, audit);
    passed(world, "leftover locks");
    audit.done = true;
  });
  const audit: Audit = { client, doing: "starts", done: false, seen: new Map() };
  return audit;
}
