/** An inventory service as somebody might write it. It has a bug. */
import type { TxnClient } from "rutile/client";

const WITHIN = { pessimistic: true, timeoutMs: 1000 };

const numberOf = (value?: Uint8Array): number => Number(new TextDecoder().decode(value));

export async function change(txn: TxnClient, item: string, by: number): Promise<void> {
  await txn.transaction(async (t) => {
    const left = numberOf(await t.getForUpdate(`stock/${item}`)) + by;
    if (left < 0) throw new Error(`${item} is sold out`);
    await t.put(`stock/${item}`, String(left));
  }, WITHIN);
}

export async function checkout(txn: TxnClient, item: string, order: string): Promise<void> {
  await change(txn, item, -1);
  try {
    await txn.transaction((t) => t.put(`order/${order}`, item), WITHIN);
  } catch (error) {
    await change(txn, item, 1);
    throw error;
  }
}
