/** An end to waiting: by time, or by a signal. */
import { ClientError, connectTxn } from "rutile/client";

const { client, close } = connectTxn(["127.0.0.1:2379"]);

const holder = await client.begin({ pessimistic: true });
await holder.put("seat/1", "taken");

// Waits for the lock until the signal says otherwise.
const signal = AbortSignal.timeout(200);
const waiter = await client.begin({ pessimistic: true });
try {
  await waiter.put("seat/1", "mine", { signal });
} catch (error) {
  console.log(error instanceof ClientError && error.reason); // → cancelled
}

// The same with a time for the operation, in milliseconds.
try {
  await waiter.put("seat/1", "mine", { timeoutMs: 200 });
} catch (error) {
  console.log(error instanceof ClientError && error.reason); // → timeout
}
await waiter.rollback();
await holder.rollback();
close();
