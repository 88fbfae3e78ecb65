/** The bank on Rutile by its client: accounts in two regions, transfers, reads of one instant. */
import type {
  Snapshot,
  Transaction,
  TransactionOptions,
  TxnClient,
} from "../../runtime/client/index.ts";
import { accountKey, OPENING_BALANCE } from "./accounts.ts";
import type { Draw, Pair } from "./accounts.ts";
import type { Caller, Load } from "./load.ts";

const ACCOUNTS_A_TRANSACTION = 1000;
/** Transactions that fill the bank side by side. */
const FILLERS = 4;

const balanceOf = (value: Uint8Array): number => Number(new TextDecoder().decode(value));

/** Writes every account. */
export async function fillRutile(client: TxnClient, accounts: number): Promise<void> {
  let next = 0;
  const fill = async (): Promise<void> => {
    while (next < accounts) {
      const from = next;
      next += ACCOUNTS_A_TRANSACTION;
      await client.transaction(async (t) => {
        for (let i = from; i < Math.min(from + ACCOUNTS_A_TRANSACTION, accounts); i++) {
          await t.put(accountKey(i), String(OPENING_BALANCE));
        }
      });
    }
  };
  await Promise.all(Array.from({ length: FILLERS }, fill));
}

/** All money that there is. */
export async function totalOfRutile(client: TxnClient): Promise<number> {
  let total = 0;
  const snapshot = await client.snapshot();
  for await (const { value } of snapshot.scan({ start: "account/", end: "account0" })) {
    total += balanceOf(value);
  }
  return total;
}

async function move(t: Transaction, [a, b]: Pair): Promise<void> {
  const [from, to] = [accountKey(a), accountKey(b)];
  const pairs = await t.batchGet([from, to]);
  const [first, second] = pairs;
  if (first === undefined || second === undefined) throw new Error("an account is missing");
  // They come in any order; the keys are alike but for their last digits.
  const inOrder = Buffer.compare(first.key, second.key) < 0;
  const [source, target] = inOrder ? [first, second] : [second, first];
  await t.put(from, String(balanceOf(source.value) - 1));
  await t.put(to, String(balanceOf(target.value) + 1));
}

/** Loads of the client: transfers by kind of commit, and reads. */
export interface RutileLoads {
  readonly transfers: readonly Load[];
  readonly reads: readonly Load[];
}

export function rutileLoads(
  client: TxnClient,
  draw: Draw,
  { turnsPerSnapshot, keysPerTurn }: { turnsPerSnapshot: number; keysPerTurn: number },
): RutileLoads {
  const load = (label: string, turnOf: () => () => Promise<number>): Load => ({
    system: "Rutile",
    label,
    caller: (): Caller => ({ turn: turnOf(), end: () => Promise.resolve() }),
  });
  const transfer = (label: string, pair: () => Pair, options: TransactionOptions): Load =>
    load(label, () => async () => {
      const accounts = pair();
      await client.transaction((t) => move(t, accounts), options);
      return 1;
    });
  const read = (keys: number) => () => {
    let left = 0;
    let snapshot: Snapshot | undefined;
    return async () => {
      if (left === 0) snapshot = undefined;
      snapshot ??= await client.snapshot();
      left = left === 0 ? turnsPerSnapshot - 1 : left - 1;
      const at = snapshot;
      if (keys === 1) {
        const value = await at.get(accountKey(draw.one()));
        if (value === undefined) throw new Error("an account is missing");
        return 1;
      }
      const wanted = Array.from({ length: keys }, () => accountKey(draw.one()));
      const pairs = await at.batchGet(wanted);
      if (pairs.length === 0) throw new Error("an account is missing");
      return keys;
    };
  };
  const within = (): Pair => draw.within();
  return {
    transfers: [
      transfer("transfer, one phase", within, {}),
      transfer("transfer, async commit", within, { onePC: false }),
      transfer("transfer, two phases", within, { onePC: false, asyncCommit: false }),
      transfer("transfer, two regions, async commit", () => draw.across(), {}),
    ],
    reads: [load("get", read(1)), load(`batch get of ${keysPerTurn}`, read(keysPerTurn))],
  };
}
