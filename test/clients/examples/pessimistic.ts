/** Locks, for what must not change between reading and writing. */
import { connectTxn } from "rutile/client";

const { client, close } = connectTxn(["127.0.0.1:2379"]);
const text = (bytes?: Uint8Array): string => new TextDecoder().decode(bytes);

await client.transaction(async (t) => {
  await t.put("stock/7", "3");
  await t.put("price/7", "20");
});

const orders = Array.from({ length: 5 }, () =>
  client.transaction(
    async (t) => {
      // Nobody changes what this gave before the transaction is over: others wait for it.
      const left = Number(text(await t.getForUpdate("stock/7")));
      // Only read, but not to be changed by others either.
      await t.lockKeys(["price/7"]);
      if (left === 0) return false;
      await t.put("stock/7", String(left - 1));
      return true;
    },
    { pessimistic: true },
  ),
);
const sold = await Promise.all(orders);
console.log(sold.filter(Boolean).length); // → 3
close();
