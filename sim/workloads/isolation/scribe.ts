/** Runs a transaction of the client library and writes down what it was asked and told. */
import { keyFromBytes } from "../../../engine/base/bytes.ts";
import type { Ports } from "../../../engine/client/ports.ts";
import type { Transaction } from "../../../engine/client/transaction.ts";
import type { TxnClient } from "../../../engine/client/transactions.ts";
import type { Access, Read } from "../../checkers/transactions/history.ts";
import { violated } from "../../checkers/verdict.ts";
import { chance, pick, type Random } from "../../random.ts";
import { countOutcome } from "../history.ts";
import { failureOf, type Mode, PATIENCE } from "../library.ts";
import { cellOf, numbersIn } from "./cell.ts";
import { type Desk, type Errand, freshNumber } from "./desk.ts";

/** Beyond this, values do not lie beside their versions. */
const LONG_VALUE = 300;

/** One client of recorded transactions. */
export interface Writer {
  readonly desk: Desk;
  readonly ports: Ports;
  readonly txn: TxnClient;
  /** Of the operation under way. */
  random: Random;
  readonly name: string;
  /** Counts its transactions. */
  count: number;
}

/** A transaction under way. */
export interface Scribe {
  readonly writer: Writer;
  readonly mode: Mode;
  readonly transaction: Transaction;
  readonly accesses: Access[];
  /** Reads that nobody was told: they follow from the success of the transaction. */
  readonly implied: Set<Access>;
  /** The key of its insert. */
  inserted: string | undefined;
}

/** Runs `body` in one attempt, and records how it ended. */
export async function record(
  writer: Writer,
  errand: Errand,
  mode: Mode,
  body: (scribe: Scribe) => Promise<void>,
): Promise<void> {
  const { desk, txn } = writer;
  const begin = desk.world.timeUs;
  let transaction: Transaction | undefined;
  const began = async (): Promise<void> => {
    transaction = await txn.begin({ ...mode.options, ...PATIENCE });
  };
  const refused = await failureOf(began());
  if (transaction === undefined) {
    countOutcome(desk.world.checks.history, errand, "refused");
    checkReason(writer, refused?.reason ?? "", errand);
    return;
  }
  const open: Transaction = transaction;
  const scribe: Scribe = {
    writer,
    mode,
    transaction: open,
    accesses: [],
    implied: new Set(),
    inserted: undefined,
  };
  let asked = Infinity;
  let commitTs: bigint | undefined;
  const run = async (): Promise<void> => {
    await body(scribe);
    asked = desk.world.timeUs;
    commitTs = await open.commit(PATIENCE);
  };
  const failure = await failureOf(run());
  const outcome =
    failure === undefined
      ? "ok"
      : asked < Infinity && failure.reason === "undetermined"
        ? "unknown"
        : "fail";
  const told = { begin, asked, commitTs, outcome, reason: failure?.reason ?? "" } as const;
  note(scribe, errand, told);
  await open.rollback();
}

interface Told {
  readonly begin: number;
  readonly asked: number;
  readonly commitTs: bigint | undefined;
  readonly outcome: "ok" | "fail" | "unknown";
  readonly reason: string;
}

function note(scribe: Scribe, errand: Errand, told: Told): void {
  const { begin, asked, commitTs, outcome, reason } = told;
  const { writer, transaction, mode, accesses, implied, inserted } = scribe;
  const { desk } = writer;
  const { startTs } = transaction;
  const { timeUs, checks } = desk.world;
  writer.count += 1;
  const name = `${writer.name}/${writer.count}`;
  const end = outcome === "unknown" ? Infinity : timeUs;
  desk.history.push({
    name,
    client: writer.name,
    begin,
    end,
    asked,
    outcome,
    startTs,
    commitTs,
    pessimistic: mode.options.pessimistic,
    stale: false,
    accesses: outcome === "ok" ? accesses : accesses.filter((one) => !implied.has(one)),
    errand,
    how: mode.how,
    reason,
  });
  desk.instants.push(commitTs ?? startTs);
  countOutcome(checks.history, errand, outcome === "fail" ? "refused" : outcome);
  countOutcome(checks.history, mode.how, outcome === "fail" ? "refused" : outcome);
  if (reason === "exists" && inserted !== undefined) {
    desk.refusals.push({ name, key: inserted, startTs, end });
  } else checkReason(writer, reason, errand);
}

function checkReason({ desk, name }: Writer, reason: string, errand: Errand): void {
  if (reason !== "exists" && reason !== "misuse" && reason !== "cancelled") return;
  violated(desk.world, "answers", `${name} is told in an errand of ${errand}: ${reason}`);
}

/** Reads a key, if asked so with a lock, and writes down what it holds. */
export async function read(
  scribe: Scribe,
  key: string,
  locking: boolean,
): Promise<readonly number[]> {
  const numbers = await fetch(scribe, key, locking);
  const seen = isCounter(key) ? numbers.slice(0, 1) : numbers;
  scribe.accesses.push({ type: "read", key, seen, locking });
  return numbers;
}

/** Some wait for a lock for less than a message may take. */
const SHORT_WAITS_MS: readonly number[] = [1, 1, 2, 20];

/**
 * Locks a key if that can be had soon, and goes on without it if not: the call for it may reach its
 * store at any time, also when the transaction is over.
 */
export async function tryLock(scribe: Scribe, key: string): Promise<void> {
  const timeoutMs = pick(scribe.writer.random, SHORT_WAITS_MS);
  let seen: readonly number[] | undefined;
  const locked = async (): Promise<void> => {
    seen = numbersIn(await scribe.transaction.getForUpdate(key, { timeoutMs }));
  };
  const failure = await failureOf(locked());
  if (failure !== undefined && failure.reason !== "timeout") throw failure;
  if (seen !== undefined) scribe.accesses.push({ type: "read", key, seen, locking: true });
}

/** A counter's cell holds its number in the history, and what it stands at. */
const isCounter = (key: string): boolean => key.startsWith("counter/");

async function fetch(
  { transaction, mode }: Scribe,
  key: string,
  locking: boolean,
): Promise<readonly number[]> {
  if (!locking) return numbersIn(await transaction.get(key, PATIENCE));
  if (mode.options.pessimistic) return numbersIn(await transaction.getForUpdate(key, PATIENCE));
  await transaction.lockKeys([key], PATIENCE);
  return numbersIn(await transaction.get(key, PATIENCE));
}

/** Reads some keys at once, without locks. */
export async function readAll(scribe: Scribe, keys: readonly string[]): Promise<void> {
  const pairs = await scribe.transaction.batchGet(keys, PATIENCE);
  scribe.accesses.push(...readsOf(keys, pairs));
}

/** What a batch of reads shows: nothing for those keys that it lacks. */
export function readsOf(
  keys: readonly string[],
  pairs: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[],
): readonly Read[] {
  const found = new Map(pairs.map(({ key, value }) => [keyFromBytes(key) as string, value]));
  return keys.map((key) => {
    const numbers = numbersIn(found.get(key));
    const seen = isCounter(key) ? numbers.slice(0, 1) : numbers;
    return { type: "read", key, seen, locking: false };
  });
}

/** Appends a number to a list. What it continues is what it has locked, if it locks. */
export async function append(scribe: Scribe, key: string): Promise<void> {
  const { pessimistic } = scribe.mode.options;
  const before = chance(scribe.writer.random, 400_000)
    ? await read(scribe, key, pessimistic)
    : await fetch(scribe, key, pessimistic);
  const value = freshNumber(scribe.writer.desk, key);
  scribe.accesses.push({ type: "append", key, value });
  await put(scribe, key, [...before, value]);
}

/** Writes a register. */
export async function write(scribe: Scribe, key: string): Promise<void> {
  const value = freshNumber(scribe.writer.desk, key);
  scribe.accesses.push({ type: "write", key, value });
  await put(scribe, key, [value]);
}

export async function remove(scribe: Scribe, key: string): Promise<void> {
  const value = freshNumber(scribe.writer.desk, key);
  scribe.accesses.push({ type: "remove", key, value });
  await scribe.transaction.delete(key, PATIENCE);
}

/** Makes a counter one more than it was. */
export async function increment(scribe: Scribe, key: string, locking: boolean): Promise<void> {
  const { desk } = scribe.writer;
  const [, stands = 0] = await read(scribe, key, locking);
  const value = freshNumber(desk, key);
  desk.counts.set(value, stands + 1);
  scribe.accesses.push({ type: "write", key, value });
  await put(scribe, key, [value, stands + 1]);
}

/** Writes a register that must not be there. That it was not is known once this has happened. */
export async function insert(scribe: Scribe, key: string): Promise<void> {
  const value = freshNumber(scribe.writer.desk, key);
  const absent: Read = { type: "read", key, seen: [], locking: true };
  scribe.inserted = key;
  scribe.implied.add(absent);
  scribe.accesses.push(absent, { type: "write", key, value });
  await scribe.transaction.insert(key, cellOf([value], paddingOf(scribe)), PATIENCE);
}

const put = (scribe: Scribe, key: string, numbers: readonly number[]): Promise<void> =>
  scribe.transaction.put(key, cellOf(numbers, paddingOf(scribe)), PATIENCE);

const paddingOf = ({ writer }: Scribe): number => (chance(writer.random, 200_000) ? LONG_VALUE : 0);
