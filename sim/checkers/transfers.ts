/**
 * What the clients of the bank have been told, and what their snapshots may show: whole transfers
 * only, every one that was acknowledged before the snapshot was asked for, none that was refused.
 *
 * Each transfer changes two balances and writes an entry of its own in one transaction, so that the
 * balances follow from the entries: what does not add up can be told by name.
 */
import type { World } from "../model.ts";
import { seconds } from "../trace/trace.ts";
import { passed, violated } from "./verdict.ts";

/** What every account begins with. */
export const OPENING = 100;

/** Mutable while it runs. */
export interface Transfer {
  /** Key of its entry. */
  readonly entry: string;
  readonly client: string;
  /** Account numbers. */
  readonly from: number;
  readonly to: number;
  readonly amount: number;
  /** How it is committed, in words. */
  readonly how: string;
  /** `open` while nobody has been told what became of it. */
  fate: "open" | "acknowledged" | "refused" | "unknown";
  /** Of its last attempt. */
  startTs: bigint;
  /** True time at which its client was told, and the reason, where it was refused or unknown. */
  settledUs: number;
  reason: string;
  /** The snapshot that showed it first. */
  shown: Snapshot | undefined;
}

/** Mutable: one for each run. */
export interface Ledger {
  readonly accounts: number;
  readonly transfers: Map<string, Transfer>;
  /** In the order in which clients were told. */
  readonly acknowledged: Transfer[];
}

/** What a client has read at one timestamp. */
export interface Snapshot {
  readonly client: string;
  readonly timestamp: bigint;
  /** How many transfers had been acknowledged when the timestamp was asked for. */
  readonly acknowledged: number;
  /** By account number; undefined where there is no such account. */
  readonly balances: readonly (number | undefined)[];
  /** Keys of the entries; undefined where only balances were read. */
  readonly entries: readonly string[] | undefined;
}

/** Checks one snapshot against all that has been told by now. */
export function checkSnapshot(world: World, ledger: Ledger, snapshot: Snapshot): void {
  const problem = wrongSum(ledger, snapshot) ?? wrongEntries(ledger, snapshot);
  if (problem === undefined) return passed(world, "whole transfers");
  const { client, timestamp } = snapshot;
  violated(world, "whole transfers", `${client} reads at timestamp ${timestamp}: ${problem}`);
}

/** Notes what a client was told. What it was told does not happen must not have been seen. */
export function settleTransfer(
  world: World,
  ledger: Ledger,
  transfer: Transfer,
  fate: Exclude<Transfer["fate"], "open">,
  reason: string,
): void {
  transfer.fate = fate;
  transfer.settledUs = world.timeUs;
  transfer.reason = reason;
  if (fate === "acknowledged") ledger.acknowledged.push(transfer);
  if (fate !== "refused" || transfer.shown === undefined) return;
  const { client, timestamp } = transfer.shown;
  const text = `${describe(transfer)} was shown to ${client} at timestamp ${timestamp}`;
  violated(world, "whole transfers", text);
}

function wrongSum({ accounts }: Ledger, { balances }: Snapshot): string | undefined {
  const gone = balances.findIndex((balance) => balance === undefined);
  if (gone >= 0) return `account ${gone} is not there`;
  const sum = balances.reduce<number>((total, balance) => total + (balance ?? 0), 0);
  const expected = accounts * OPENING;
  if (sum === expected) return undefined;
  return `the balances are ${balances.join(", ")}: together ${sum}, not ${expected}`;
}

function wrongEntries(ledger: Ledger, snapshot: Snapshot): string | undefined {
  const { entries, balances } = snapshot;
  if (entries === undefined) return undefined;
  const expected = Array.from({ length: ledger.accounts }, () => OPENING);
  for (const entry of entries) {
    const transfer = ledger.transfers.get(entry);
    if (transfer === undefined) return `nobody wrote the entry ${entry}`;
    if (transfer.fate === "refused") return `it shows ${describe(transfer)}`;
    transfer.shown ??= snapshot;
    (expected[transfer.from] as number) -= transfer.amount;
    (expected[transfer.to] as number) += transfer.amount;
  }
  const shown = new Set(entries);
  for (let i = 0; i < snapshot.acknowledged; i++) {
    const transfer = ledger.acknowledged[i] as Transfer;
    if (!shown.has(transfer.entry)) return `it lacks ${describe(transfer)}`;
  }
  const torn = expected.findIndex((balance, i) => balance !== balances[i]);
  if (torn < 0) return undefined;
  const text = `account ${torn} holds ${balances[torn]}, its entries make ${expected[torn]}`;
  return `${text}; of transfers it had these last:\n${lastOf(ledger, torn, shown)}`;
}

const LAST = 12;

function lastOf(ledger: Ledger, account: number, shown: ReadonlySet<string>): string {
  return [...ledger.transfers.values()]
    .filter(({ from, to }) => from === account || to === account)
    .slice(-LAST)
    .map((one) => `  ${shown.has(one.entry) ? "shown    " : "not shown"} ${describe(one)}`)
    .join("\n");
}

function describe(transfer: Transfer): string {
  const { entry, client, from, to, amount, how, startTs, fate, settledUs, reason } = transfer;
  const told =
    fate === "open"
      ? "under way"
      : `${fate} at ${seconds(settledUs)}${reason === "" ? "" : ` (${reason})`}`;
  return `${entry}: ${amount} from ${from} to ${to} by ${client}, ${how}, begun at ${startTs}, ${told}`;
}
