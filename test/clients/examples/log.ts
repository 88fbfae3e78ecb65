/** A debug log: what is tried again and why, and how transactions ended. */
import { connectTxn } from "rutile/client";
import type { ClientEvent } from "rutile/client";

const log = (event: ClientEvent): void => {
  if (event.message === "not committed") console.log(event.message, event.reason);
  else if (event.message === "committed") console.log(event.message, event.keys);
};
const { client, close } = connectTxn(["127.0.0.1:2379"], { log });

const slow = await client.begin();
await slow.put("page", "mine");
await client.transaction((t) => t.put("page", "yours")); // → committed 1
await slow.commit().catch(() => undefined); // → not committed conflict
close();
