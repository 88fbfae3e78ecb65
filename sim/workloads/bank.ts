/**
 * Clients of the client library: each moves money between two accounts in one transaction, or reads
 * all accounts of one instant. Accounts and the entries of their transfers lie all over the key
 * space, which is split under them.
 */
import { type Key, keyFromBytes } from "../../engine/base/bytes.ts";
import type { Ports } from "../../engine/client/ports.ts";
import type { ReplicaOptions } from "../../engine/client/reading.ts";
import type { Snapshot as ClientSnapshot } from "../../engine/client/snapshot.ts";
import type { Transaction } from "../../engine/client/transaction.ts";
import type { TxnClient } from "../../engine/client/transactions.ts";
import {
  checkSnapshot,
  type Ledger,
  type Snapshot,
  OPENING,
  settleTransfer,
  type Transfer,
} from "../checkers/transfers.ts";
import { violated } from "../checkers/verdict.ts";
import type { Client, World } from "../model.ts";
import { seededDraws } from "../decisions/decisions.ts";
import { below, between, chance, pickWeighted, type Random } from "../random.ts";
import { asyncClient } from "./async-client.ts";
import { countOutcome } from "./history.ts";
import {
  boundedCommits,
  boundOf,
  failureOf,
  libraryOf,
  type Mix,
  mixOf,
  type Mode,
  PATIENCE,
  READERS,
} from "./library.ts";

/** What all clients of the bank share. */
export interface Bank {
  readonly ledger: Ledger;
  /** How transfers are committed. */
  readonly mix: Mix;
  readonly boundMs: number | undefined;
}

const RETRY_MS = 200;
/** Some transactions think for longer than locks live. */
const LONG_THOUGHT_MS = 5000;

export function bankOf(world: World): Bank {
  const random = seededDraws(world.decisions, "bank");
  const ledger: Ledger = { accounts: world.knobs.slots, transfers: new Map(), acknowledged: [] };
  return { ledger, mix: mixOf(random), boundMs: boundOf(random) };
}

export const accountKey = (account: number): string => `bank/${String(account).padStart(3, "0")}`;

export function bankClient(
  world: World,
  node: number,
  name: string,
  bank: Bank,
  thinkUs: number,
): Client {
  return asyncClient(world, node, name, async (ports, operate) => {
    const { txn } = libraryOf(world, boundedCommits(ports, bank.boundMs));
    if (!(await openBank(world, ports, txn, bank.ledger))) return;
    const past: Moment[] = [];
    await operate(thinkUs, async (random, i) => {
      if (chance(random, 600_000)) {
        const plan = drawTransfer(bank, random, name, i);
        await transfer(world, ports, txn, bank.ledger, plan, random);
      } else {
        const how = drawLook(random, past);
        const moment = await look(world, txn, bank.ledger, name, how);
        if (moment !== undefined) past.push(moment);
      }
    });
  });
}

/** Sees to it that all accounts are there; false where clients are to stop before. */
export async function openBank(
  world: World,
  ports: Ports,
  txn: TxnClient,
  { accounts }: Ledger,
): Promise<boolean> {
  const body = async (transaction: Transaction): Promise<void> => {
    for (let account = 0; account < accounts; account++) {
      const key = accountKey(account);
      const there = await transaction.get(key, PATIENCE);
      if (there === undefined) await transaction.put(key, moneyOf(world, OPENING));
    }
  };
  while (world.phase === "liveness" || world.clientsActive) {
    const failure = await failureOf(txn.transaction(body, PATIENCE));
    if (failure === undefined) return true;
    await ports.clock.sleep(RETRY_MS, undefined);
  }
  return false;
}

interface Plan {
  readonly transfer: Transfer;
  readonly mode: Mode;
}

function drawTransfer(bank: Bank, random: Random, client: string, i: number): Plan {
  const { accounts, transfers } = bank.ledger;
  const mode = pickWeighted(random, bank.mix);
  const from = below(random, accounts);
  const transfer: Transfer = {
    entry: `${accountKey(from)}/${client}-${i}`,
    client,
    from,
    to: (from + 1 + below(random, accounts - 1)) % accounts,
    amount: between(random, 1, 20),
    how: mode.how,
    fate: "open",
    startTs: 0n,
    settledUs: 0,
    reason: "",
    shown: undefined,
  };
  transfers.set(transfer.entry, transfer);
  return { transfer, mode };
}

async function transfer(
  world: World,
  ports: Ports,
  txn: TxnClient,
  ledger: Ledger,
  plan: Plan,
  random: Random,
): Promise<void> {
  const { transfer: one, mode } = plan;
  // In both orders, so that those who lock may wait for each other in a circle.
  const accounts = chance(random, 500_000) ? [one.from, one.to] : [one.to, one.from];
  const inserts = chance(random, 500_000);
  const thoughtMs = chance(random, 30_000) ? below(random, LONG_THOUGHT_MS) : 0;
  const body = async (transaction: Transaction): Promise<void> => {
    one.startTs = transaction.startTs;
    for (const account of accounts) {
      const key = accountKey(account);
      const held = mode.options.pessimistic
        ? await transaction.getForUpdate(key, PATIENCE)
        : await transaction.get(key, PATIENCE);
      const change = account === one.from ? -one.amount : one.amount;
      await transaction.put(key, moneyOf(world, amountOf(held) + change), PATIENCE);
    }
    if (thoughtMs > 0) await ports.clock.sleep(thoughtMs, undefined);
    if (inserts) await transaction.insert(one.entry, moneyOf(world, one.amount), PATIENCE);
    else await transaction.put(one.entry, moneyOf(world, one.amount), PATIENCE);
  };
  const failure = await failureOf(txn.transaction(body, { ...mode.options, ...PATIENCE }));
  if (failure === undefined) {
    settleTransfer(world, ledger, one, "acknowledged", "");
    countOutcome(world.checks.history, mode.how, "ok");
    return;
  }
  const { reason, message } = failure;
  if (reason === "exists" || reason === "misuse" || reason === "cancelled") {
    violated(world, "answers", `${one.client} is told of ${one.entry}: ${reason}: ${message}`);
  }
  const fate = reason === "undetermined" ? "unknown" : "refused";
  settleTransfer(world, ledger, one, fate, `${reason}: ${message}`);
  countOutcome(world.checks.history, mode.how, fate);
}

/** A timestamp, and how many transfers had been acknowledged when it was asked for. */
export type Moment = Pick<Snapshot, "timestamp" | "acknowledged">;

export interface Look {
  /** The entries too, not only the accounts. */
  readonly whole: boolean;
  /** Who is asked. */
  readonly from: ReplicaOptions;
  /** The moment that is looked at; now, where there is none. */
  readonly at: Moment | undefined;
}

/** Now, at leaders or followers; or, of what this client has seen, the past at any replica. */
function drawLook(random: Random, past: readonly Moment[]): Look {
  const whole = chance(random, 500_000);
  const from = pickWeighted(random, READERS);
  const at = from.staleRead === true ? past[below(random, Math.max(1, past.length))] : undefined;
  return { whole, from, at };
}

/** In words. */
const kindOf = ({ whole, from, at }: Look): string => {
  const when = at === undefined ? "" : " of the past";
  const where = from.staleRead === true ? "anywhere" : `by ${from.replicaRead ?? "leaders"}`;
  return `read${when} of all ${whole ? "entries" : "accounts"} ${where}`;
};

/**
 * Reads all accounts at one timestamp, or the entries with them; undefined where that fails.
 */
export async function look(
  world: World,
  txn: TxnClient,
  ledger: Ledger,
  client: string,
  how: Look,
): Promise<Moment | undefined> {
  const { whole, from, at } = how;
  const acknowledged = at?.acknowledged ?? ledger.acknowledged.length;
  const balances = Array.from({ length: ledger.accounts }, (): number | undefined => undefined);
  const entries: string[] = [];
  const take = (key: string, value: Uint8Array): void => {
    const account = key.length > accountKey(0).length ? undefined : Number(key.slice(5));
    if (account === undefined) entries.push(key);
    else balances[account] = amountOf(value);
  };
  let snapshot: ClientSnapshot | undefined;
  const failure = await failureOf(
    (async (): Promise<void> => {
      snapshot = await txn.snapshot(at?.timestamp, { ...PATIENCE, ...from });
      const pairs = whole
        ? snapshot.scan({ start: "bank/", end: "bank0", pageSize: 64, ...PATIENCE })
        : await snapshot.batchGet(
            balances.map((_, account) => accountKey(account)),
            PATIENCE,
          );
      for await (const { key, value } of pairs) take(keyFromBytes(key), value);
    })(),
  );
  countOutcome(world.checks.history, kindOf(how), failure === undefined ? "ok" : "refused");
  if (failure !== undefined || snapshot === undefined) return undefined;
  checkSnapshot(world, ledger, {
    client,
    timestamp: snapshot.timestamp,
    acknowledged,
    balances,
    entries: whole ? entries : undefined,
  });
  return { timestamp: snapshot.timestamp, acknowledged };
}

/** As long as values of this seed are: a long one lies apart from its version. */
const moneyOf = (world: World, amount: number): string =>
  String(amount).padStart(world.knobs.valueBytes);

const amountOf = (value: Uint8Array | undefined): number =>
  value === undefined ? Number.NaN : Number(keyFromBytes(value));

/** Where regions are to be split: between accounts, and in the middle of their entries. */
export function bankBorder({ ledger }: Bank, random: Random): Key {
  const account = accountKey(below(random, ledger.accounts));
  return (chance(random, 300_000) ? `${account}/client3` : account) as Key;
}
