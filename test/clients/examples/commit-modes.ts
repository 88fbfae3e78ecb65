/** How a transaction is committed, and how to choose. */
import { connectTxn } from "rutile/client";
import type { TransactionOptions } from "rutile/client";

const { client, close } = connectTxn(["127.0.0.1:2379"], {
  log: (event) => {
    if (event.message === "committed") console.log(event.how);
  },
});

const write = (options: TransactionOptions): Promise<void> =>
  client.transaction((t) => t.put("mode", "x"), options);

// All keys lie in one region: a single round trip.
await write({}); // → one phase
// Committed once all keys are locked; the second round trip goes on behind the caller's back.
await write({ onePC: false }); // → asynchronous
// The second round trip is waited for.
await write({ onePC: false, asyncCommit: false }); // → two phases
close();
