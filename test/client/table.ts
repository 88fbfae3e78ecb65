/** Two rows of two regions, 1 with 10 and 2 with 20, and what transactions do with them. */
import * as assert from "uvu/assert";
import { ClientError } from "../../engine/client/errors.ts";
import type { Ports } from "../../engine/client/ports.ts";
import type { Transaction, TransactionOptions } from "../../engine/client/transaction.ts";
import type { TxnClient } from "../../engine/client/transactions.ts";

/** A table of rows, and those who use it. */
export interface Table {
  readonly begin: () => Promise<Transaction>;
  /** What a new reader finds: row by row. */
  readonly rows: () => Promise<readonly string[]>;
  readonly key: (id: number) => string;
  readonly prefix: string;
  readonly ports: Ports;
}

export const tableOf = (
  prefix: string,
  txn: TxnClient,
  ports: Ports,
  options: TransactionOptions,
): Table => ({
  begin: () => txn.begin(options),
  rows: async () => select(await txn.begin(), prefix, () => true),
  key: (id) => `${prefix}/${id}`,
  prefix,
  ports,
});

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes);

/** The rows whose value fits, as `id=value`. */
export async function select(
  t: Transaction,
  prefix: string,
  fits: (value: number) => boolean,
): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { key, value } of t.scan({ start: `${prefix}/`, end: `${prefix}0` })) {
    const id = text(key)?.slice(prefix.length + 1);
    if (fits(Number(text(value)))) found.push(`${id}=${text(value)}`);
  }
  return found;
}

/** What a row holds for a transaction. */
export const get = async (
  { key }: Table,
  t: Transaction,
  id: number,
): Promise<string | undefined> => text(await t.get(key(id)));
/** Locks a row, and gives what it holds now. */
export const lock = async (
  { key }: Table,
  t: Transaction,
  id: number,
): Promise<string | undefined> => text(await t.getForUpdate(key(id)));
export const put = ({ key }: Table, t: Transaction, id: number, value: number): Promise<void> =>
  t.put(key(id), String(value));

/** Sees to it that `operation` ends with the reason that is expected. */
export async function fails(operation: Promise<unknown>, expected: string): Promise<void> {
  try {
    await operation;
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    assert.is(error.reason, expected, error.message);
    return;
  }
  assert.unreachable(`it does not fail with ${expected}`);
}

/** Sees to it that `operation` waits for `release`, and then goes on. */
export async function waitsFor<T>(
  { ports }: Table,
  operation: Promise<T>,
  release: () => Promise<unknown>,
): Promise<T> {
  let held = true;
  const watched = operation.finally(() => {
    held = false;
  });
  await ports.clock.sleep(300, undefined);
  assert.ok(held, "nothing holds it up");
  await release();
  return watched;
}
