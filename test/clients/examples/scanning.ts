/** Ranges, a page at a time, for as long as the loop goes on. */
import { connectTxn } from "rutile/client";

const { client, close } = connectTxn(["127.0.0.1:2379"]);
const text = (bytes?: Uint8Array): string => new TextDecoder().decode(bytes);

await client.transaction(async (t) => {
  for (let day = 1; day <= 31; day++) await t.put(`day/${String(day).padStart(2, "0")}`, "x");
});

const snapshot = await client.snapshot();
for await (const { key } of snapshot.scan({ start: "day/", end: "day0", pageSize: 10 })) {
  if (text(key) > "day/02") break; // No further page is asked for.
  console.log(text(key));
}
// → day/01
// → day/02

for await (const { key } of snapshot.scan({ end: "day0", reverse: true, limit: 1 })) {
  console.log(text(key)); // → day/31
}
close();
