/** The service, mended: whatever becomes of the commit, it is one commit. */
import type { TxnClient } from "rutile/client";

const WITHIN = { pessimistic: true, timeoutMs: 1000 };

const numberOf = (value?: Uint8Array): number => Number(new TextDecoder().decode(value));

export async function checkout(txn: TxnClient, item: string, order: string): Promise<void> {
  await txn.transaction(async (t) => {
    const left = numberOf(await t.getForUpdate(`stock/${item}`)) - 1;
    if (left < 0) throw new Error(`${item} is sold out`);
    await t.put(`stock/${item}`, String(left));
    await t.put(`order/${order}`, item);
  }, WITHIN);
}
