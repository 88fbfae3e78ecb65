/** A transfer that is run again where somebody else was in the way. */
import { connectTxn } from "rutile/client";
import type { Transaction } from "rutile/client";

const { client, close } = connectTxn(["127.0.0.1:2379"]);

const balance = async (t: Transaction, account: string): Promise<number> =>
  Number(new TextDecoder().decode(await t.get(account)));

await client.transaction(async (t) => {
  await t.put("account/1", "100");
  await t.put("account/2", "0");
});

// Ten transfers at once: those that meet each other are run again, from the start.
const transfer = (amount: number): Promise<void> =>
  client.transaction(async (t) => {
    await t.put("account/1", String((await balance(t, "account/1")) - amount));
    await t.put("account/2", String((await balance(t, "account/2")) + amount));
  });
await Promise.all(Array.from({ length: 10 }, () => transfer(5)));

// By hand: nothing is visible before `commit`, which gives the timestamp of it.
const t = await client.begin();
console.log(await balance(t, "account/1"), await balance(t, "account/2")); // → 50 50
await t.delete("account/1");
await t.delete("account/2");
const commitTs = await t.commit();
console.log(commitTs !== undefined && commitTs > t.startTs); // → true
close();
