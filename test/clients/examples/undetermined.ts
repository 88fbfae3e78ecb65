/** A payment whose outcome can be found out, whatever becomes of the answer. */
import { ClientError, connectTxn } from "rutile/client";

const { client, close } = connectTxn(["127.0.0.1:2379"]);

/** Whether the payment is made. `id` is drawn once for it, and the same in every attempt. */
async function pay(id: string, amount: number): Promise<boolean> {
  try {
    await client.transaction(async (t) => {
      await t.insert(`payment/${id}`, String(amount));
      const paid = Number(new TextDecoder().decode(await t.get("paid")));
      await t.put("paid", String(paid + amount));
    });
    return true;
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    // Made before, by an attempt that did not hear of it.
    if (error.reason === "exists") return true;
    // It may have happened and may still happen: only another transaction can decide it.
    if (error.reason === "undetermined") return pay(id, amount);
    throw error;
  }
}

console.log(await pay("2f1c", 10)); // → true
console.log(await pay("2f1c", 10)); // → true
const total = await (await client.snapshot()).get("paid");
console.log(new TextDecoder().decode(total)); // → 10
close();
